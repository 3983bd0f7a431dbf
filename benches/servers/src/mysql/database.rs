use diesel::mysql::MysqlConnection;
use diesel::prelude::*;
use diesel_async::{AsyncConnection, AsyncMysqlConnection};
use tokio::runtime::Runtime;
use uuid::Uuid;

use super::client::Client;
use super::raw_store::{Ordering, RawStore};
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
    pub fn create() -> Self {
        let database = Self(Place::in_server("TEST_MYSQL_URL"));
        Client::connect(&database.0.server_url).execute(&format!("CREATE DATABASE {}", database.0.name));
        diesel_event_store::run_pending_migrations(&mut database.ours().conn).expect("the tables");
        database
    }

    /// The server itself.
    pub fn server() -> Client {
        Client::connect(&Place::in_server("TEST_MYSQL_URL").server_url)
    }

    /// With streams of equal length, appended to in turns.
    pub fn filled(streams: usize, events_each: usize) -> Self {
        let database = Self::create();
        let client = database.client();
        let payload = OrderPlaced::example().to_json();
        let ids: Vec<_> = (0..streams).map(|nth| format!("('{}', {nth})", aggregate_id(nth))).collect();
        client.execute("CREATE TEMPORARY TABLE stream (aggregate_id VARCHAR(36), nth INTEGER)");
        client.execute(&format!("INSERT INTO stream VALUES {}", ids.join(",")));
        client.execute(&format!(
            "INSERT INTO aggregate_heads (tenant_id, aggregate_type, aggregate_id, aggregate_version, updated_at) \
             SELECT '', 'Order', aggregate_id, {events_each}, UTC_TIMESTAMP(6) FROM stream"
        ));
        for version in 1..=events_each {
            client.execute(&format!(
                "INSERT INTO events (aggregate_type, aggregate_id, aggregate_version, event_id, event_type, \
                 event_version, payload, created_at) \
                 SELECT 'Order', aggregate_id, {version}, UUID(), 'OrderPlaced', 1, '{payload}', UTC_TIMESTAMP(6) \
                 FROM stream ORDER BY nth"
            ));
        }
        // The first reader determines how far the log can be read.
        database.ours().last_position();
        database
    }

    pub fn client(&self) -> Client {
        Client::connect(&self.0.url())
    }

    pub fn ours(&self) -> OurStore<MysqlConnection> {
        OurStore::new(MysqlConnection::establish(&self.0.url()).expect("a connection"))
    }

    pub fn awaited(&self, runtime: &Runtime) -> AwaitedStore<AsyncMysqlConnection> {
        let conn = runtime.block_on(AsyncMysqlConnection::establish(&self.0.url()));
        AwaitedStore::new(conn.expect("a connection"))
    }

    /// What this crate sends to the server.
    pub fn statements() -> Statements {
        Statements::watch(&mut Self::create().ours().conn)
    }

    pub fn raw(&self, statements: &Statements, ordering: Ordering) -> RawStore {
        RawStore::new(self.client(), statements, ordering)
    }
}

impl Server for Database {
    type Conn = MysqlConnection;

    fn create() -> Self {
        Self::create()
    }

    fn filled(streams: usize, events_each: usize) -> Self {
        Self::filled(streams, events_each)
    }

    fn url(&self) -> String {
        self.0.url()
    }

    fn connect(url: &str) -> MysqlConnection {
        MysqlConnection::establish(url).expect("a connection")
    }

    /// Transactions as large as those of an import.
    fn bare_inserts(streams: usize, events_each: usize) -> impl Fn(&Self) {
        const INSERTS_IN_A_TRANSACTION: usize = 10;
        let inserts = inserts(streams, events_each);
        move |database| {
            let client = database.client();
            for inserts in inserts.chunks(INSERTS_IN_A_TRANSACTION) {
                client.execute("BEGIN");
                inserts.iter().for_each(|insert| client.execute(insert));
                client.execute("COMMIT");
            }
        }
    }
}

/// The rows of `filled`, 500 in each statement.
fn inserts(streams: usize, events_each: usize) -> Vec<String> {
    const ROWS: usize = 500;
    let rows: Vec<usize> = (0..streams * events_each).collect();
    rows.chunks(ROWS).map(|rows| insert(rows, streams)).collect()
}

fn insert(rows: &[usize], streams: usize) -> String {
    let payload = OrderPlaced::example().to_json();
    let values: Vec<_> = rows
        .iter()
        .map(|row| {
            let (position, version) = (row + 1, row / streams + 1);
            let (aggregate_id, event_id) = (aggregate_id(row % streams), Uuid::now_v7());
            format!(
                "({position}, 'Order', '{aggregate_id}', {version}, '{event_id}', 'OrderPlaced', 1, '{payload}', \
                 UTC_TIMESTAMP(6))"
            )
        })
        .collect();
    format!(
        "INSERT INTO events (global_position, aggregate_type, aggregate_id, aggregate_version, event_id, event_type, \
         event_version, payload, created_at) VALUES {}",
        values.join(",")
    )
}

impl Drop for Database {
    fn drop(&mut self) {
        Client::connect(&self.0.server_url).execute(&format!("DROP DATABASE {}", self.0.name));
    }
}
