//! What a server knows a connection by, and how it ends it.

use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use diesel::prelude::*;
#[cfg(any(feature = "postgres", feature = "mysql"))]
use diesel_event_store::ConnectionRef;
use diesel_event_store::EventConnection;
use test_support::{self, TestDatabase};

/// The server's number for the connection; none in a database without a server.
pub fn id<C: EventConnection + ?Sized>(conn: &mut C) -> QueryResult<Option<i64>> {
    match conn.lend() {
        #[cfg(feature = "postgres")]
        ConnectionRef::Postgres(conn) => {
            diesel::select(diesel::dsl::sql::<diesel::sql_types::BigInt>("pg_backend_pid()::bigint"))
                .get_result(conn)
                .map(Some)
        }
        #[cfg(feature = "mysql")]
        ConnectionRef::Mysql(conn) => {
            diesel::select(diesel::dsl::sql::<diesel::sql_types::BigInt>("CAST(CONNECTION_ID() AS SIGNED)"))
                .get_result(conn)
                .map(Some)
        }
        _ => Ok(None),
    }
}

/// Has the server end a connection, and waits until nothing is left of it.
pub fn kill<C: EventConnection + ?Sized>(admin: &mut C, id: i64) -> QueryResult<()> {
    let (kill, sessions) = match admin.lend() {
        #[cfg(feature = "mysql")]
        ConnectionRef::Mysql(_) => {
            (format!("KILL CONNECTION {id}"), format!("information_schema.processlist WHERE id = {id}"))
        }
        _ => (format!("SELECT pg_terminate_backend({id})"), format!("pg_stat_activity WHERE pid = {id}")),
    };
    // It may have gone by itself, which MariaDB calls an error.
    let _ = test_support::execute(admin, &kill);
    while test_support::count(admin, &sessions)? > 0 {
        thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// The connections that may be killed, each in its place.
pub struct Sessions<'h, D: TestDatabase> {
    database: &'h D,
    places: Vec<Mutex<Option<i64>>>,
}

impl<'h, D: TestDatabase> Sessions<'h, D> {
    pub fn new(database: &'h D, places: usize) -> Self {
        Self { database, places: (0..places).map(|_| Mutex::new(None)).collect() }
    }

    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Registers the connection that is now in this place.
    pub fn register(&self, place: usize, conn: &mut D::Conn) -> test_support::Result {
        let id = id(conn)?;
        *self.places[place].lock().expect("no one panics with it") = id;
        Ok(())
    }

    /// Kills the connection in this place, and tells whether there was one.
    pub fn kill(&self, place: usize) -> test_support::Result<bool> {
        let Some(id) = self.places[place].lock().expect("no one panics with it").take() else {
            return Ok(false);
        };
        kill(&mut self.database.connect()?, id)?;
        Ok(true)
    }
}
