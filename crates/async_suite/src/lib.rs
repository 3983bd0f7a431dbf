//! What the conformance suite uses, under the same names, through connections that are awaited: the suite
//! stays as it is, and blocks until each future is ready.

mod aggregate;
mod application;
mod block_on;
mod connection;
mod database;
mod store;
mod transaction;

pub use real::*;
pub use support::*;

pub use aggregate::AggregateRef;
pub use application::{
    app_rows, changed, count, create_app_rows, execute, insert_app_row, names, table_exists,
};
pub use block_on::RUNTIME;
pub use connection::EventConnection;
pub use database::{AsyncMysql, AsyncPostgres, AsyncSqlite, TestDatabase};
pub use real::AsyncConnectionRef as ConnectionRef;
pub use store::{EventIter, EventStore, run_pending_migrations};
pub use transaction::write_transaction;

pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Lists the tests of a file beside them, as `test_support::tests!` does.
#[macro_export]
macro_rules! tests {
    ($($name:ident),+ $(,)?) => {
        pub fn tests<D: $crate::TestDatabase>() -> Vec<(&'static str, fn() -> $crate::Result)> {
            vec![$((stringify!($name), $name::<D> as fn() -> $crate::Result)),+]
        }
    };
}
