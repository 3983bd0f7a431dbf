//! What the tests share: a new database in a temporary place and connections to it, processes and threads
//! that act at once, servers that can be killed, and a ledger of what was really committed.

mod app_connection;
pub mod counter;
pub mod disturbed;
pub mod filtered;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod gapless;
mod list;
pub mod long_aggregate;
pub mod look;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "mysql")]
pub mod nested_writer;
#[cfg(feature = "r2d2")]
mod pool;
#[cfg(feature = "postgres")]
mod postgres;
pub mod private_server;
mod property;
pub mod random;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod server;
#[macro_use]
pub mod sql;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(feature = "sqlite")]
pub mod sqlite_file;
mod threads;
mod watchdog;
pub mod witness;
pub mod worker;

use std::error::Error;

use diesel::Connection;
use diesel_event_store::{EventConnection, InvalidInput, NewEvent, RecordedEvent, StreamId};

pub use app_connection::InAnEnum;
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub use gapless::Gapless;
#[cfg(feature = "mysql")]
pub use mysql::{Mysql, ReadCommitted};
#[cfg(feature = "r2d2")]
pub use pool::{InAPool, PoolDatabase};
#[cfg(feature = "postgres")]
pub use postgres::Postgres;
pub use property::for_all;
pub use sql::{app_rows, changed, count, create_app_rows, execute, insert_app_row, names, table_exists};
#[cfg(feature = "sqlite")]
pub use sqlite::Sqlite;
pub use threads::at_once;
pub use watchdog::{LONG, Watchdog, advances_until, checkpoints, eventually, wait_for_projection};

pub type Result<T = (), E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

/// A database of its own for one test, gone when it is dropped.
pub trait TestDatabase: Sized + Send + Sync + 'static {
    type Conn: EventConnection + Connection + 'static;

    /// Whether to create a table commits the transaction that is open.
    const CREATING_COMMITS: bool = false;

    /// A new and empty database.
    fn create() -> Result<Self>;

    /// What diesel needs to know to connect to it.
    fn url(&self) -> String;

    /// One more connection to it, set up as an application should set it up.
    fn connect(&self) -> Result<Self::Conn>;

    /// A new database that has the event store's tables.
    fn migrated() -> Result<Self> {
        let database = Self::create()?;
        diesel_event_store::run_pending_migrations(&mut database.connect()?)?;
        Ok(database)
    }
}

/// So many events, each with its number in the batch as its payload.
pub fn counted(events: i64) -> Result<Vec<NewEvent>, InvalidInput> {
    (1..=events).map(|number| NewEvent::new("Counted", &number)).collect()
}

pub fn user(aggregate_id: &str) -> Result<StreamId, InvalidInput> {
    StreamId::new("User", aggregate_id)
}

pub fn versions<'a>(events: impl IntoIterator<Item = &'a RecordedEvent>) -> Vec<i64> {
    events.into_iter().map(RecordedEvent::version).collect()
}
