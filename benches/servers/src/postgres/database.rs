use chrono::Utc;
use diesel::prelude::*;
use diesel_async::{AsyncConnection, AsyncPgConnection};
use tokio::runtime::Runtime;
use uuid::Uuid;

use super::by_hand::ByHand;
use super::client::Client;
use super::raw_store::RawStore;
use super::statements::Statements;
use crate::database::Place;
use crate::ours::OurStore;
use crate::transfer::Server;
use bench_support::awaited_store::AwaitedStore;
use bench_support::payload::OrderPlaced;
use bench_support::workload::aggregate_id;

/// The bench's own database, with the tables of this crate.
pub struct Database(Place);

impl Database {
    /// Its connections wait for the disk at COMMIT.
    pub fn create() -> Self {
        Self::with_synchronous_commit("on")
    }

    /// `on` or `off`.
    pub fn with_synchronous_commit(value: &str) -> Self {
        let database = Self(Place::in_server("TEST_POSTGRES_URL"));
        let (server, name) = (Client::connect(&database.0.server_url), &database.0.name);
        server.execute(&format!("CREATE DATABASE {name}"));
        server.execute(&format!("ALTER DATABASE {name} SET synchronous_commit = {value}"));
        diesel_event_store::run_pending_migrations(&mut database.ours().conn).expect("the tables");
        database
    }

    /// With streams of equal length, appended to in turns.
    pub fn filled(streams: usize, events_each: usize) -> Self {
        let database = Self::create();
        let client = database.client();
        let payload = OrderPlaced::example().to_json();
        client.execute("CREATE TEMPORARY TABLE stream (aggregate_id TEXT, nth INTEGER)");
        let ids: Vec<_> = (0..streams).map(|nth| format!("('{}', {nth})", aggregate_id(nth))).collect();
        client.execute(&format!("INSERT INTO stream VALUES {}", ids.join(",")));
        client.execute(&format!(
            "INSERT INTO events (aggregate_type, aggregate_id, aggregate_version, event_id, event_type, event_version, \
             payload, created_at) \
             SELECT 'Order', aggregate_id, version, gen_random_uuid(), 'OrderPlaced', 1, '{payload}', now() \
             FROM generate_series(1, {events_each}) AS version, stream ORDER BY version, nth"
        ));
        client.execute(&format!(
            "INSERT INTO aggregate_heads (tenant_id, aggregate_type, aggregate_id, aggregate_version, updated_at) \
             SELECT '', 'Order', aggregate_id, {events_each}, now() FROM stream"
        ));
        client.execute("VACUUM ANALYZE events");
        client.execute("VACUUM ANALYZE aggregate_heads");
        database
    }

    /// The columns of the rows that `lines` makes.
    const ROW: &str = "COPY events (global_position, aggregate_type, aggregate_id, aggregate_version, event_id, \
         event_type, event_version, payload, created_at) FROM STDIN";

    pub fn client(&self) -> Client {
        Client::connect(&self.0.url())
    }

    pub fn ours(&self) -> OurStore<PgConnection> {
        OurStore::new(PgConnection::establish(&self.0.url()).expect("a connection"))
    }

    pub fn awaited(&self, runtime: &Runtime) -> AwaitedStore<AsyncPgConnection> {
        AwaitedStore::new(self.connect(runtime))
    }

    pub fn by_hand(&self, runtime: &Runtime, statements: &Statements) -> ByHand {
        ByHand::new(self.connect(runtime), statements)
    }

    fn connect(&self, runtime: &Runtime) -> AsyncPgConnection {
        runtime.block_on(AsyncPgConnection::establish(&self.0.url())).expect("a connection")
    }

    /// What this crate sends to the server.
    pub fn statements() -> Statements {
        Statements::watch(&mut Self::create().ours().conn)
    }

    pub fn raw(&self, statements: &Statements) -> RawStore {
        RawStore::new(self.client(), statements)
    }

    /// From now on positions are assigned without any protection for readers, as in most stores.
    pub fn remove_fence(&self) {
        self.client().execute(
            "CREATE OR REPLACE FUNCTION event_store_reserve(number BIGINT, is_alone BOOLEAN, last BIGINT) \
             RETURNS BIGINT LANGUAGE sql IMMUTABLE AS 'SELECT NULL::BIGINT'",
        );
    }
}

impl Server for Database {
    type Conn = PgConnection;

    fn create() -> Self {
        Self::create()
    }

    fn filled(streams: usize, events_each: usize) -> Self {
        Self::filled(streams, events_each)
    }

    fn url(&self) -> String {
        self.0.url()
    }

    fn connect(url: &str) -> PgConnection {
        PgConnection::establish(url).expect("a connection")
    }

    fn bare_inserts(streams: usize, events_each: usize) -> impl Fn(&Self) {
        let lines = lines(streams, events_each);
        move |database| database.client().copy(Self::ROW, lines.as_bytes())
    }
}

/// The rows of `filled`, as COPY takes them.
fn lines(streams: usize, events_each: usize) -> String {
    let (payload, now) = (OrderPlaced::example().to_json(), Utc::now().to_rfc3339());
    let mut lines = String::new();
    for row in 0..streams * events_each {
        let (position, version) = (row + 1, row / streams + 1);
        let (aggregate_id, event_id) = (aggregate_id(row % streams), Uuid::now_v7());
        lines += &format!(
            "{position}\tOrder\t{aggregate_id}\t{version}\t{event_id}\tOrderPlaced\t1\t{payload}\t{now}\n"
        );
    }
    lines
}

impl Drop for Database {
    fn drop(&mut self) {
        Client::connect(&self.0.server_url).execute(&format!("DROP DATABASE {} WITH (FORCE)", self.0.name));
    }
}
