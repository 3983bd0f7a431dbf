//! What the operations on a database server need of a connection beside statements. SQLite's transactions
//! have rules of their own.

#[cfg(feature = "_mysql")]
use std::time::Duration;

use diesel::result::QueryResult;

use crate::storage::executor::Executor;
use crate::storage::give_up::GiveUp;
use crate::storage::scope::Scope;

/// A connection to a server, as far as transactions are concerned. diesel counts what is open.
pub(crate) trait Server: Executor + GiveUp {
    /// How many transactions and savepoints are open. An error if diesel does not know.
    fn depth(&mut self) -> QueryResult<u32>;

    /// Opens a transaction with this SQL, or a savepoint in the one that is open.
    fn begin(&mut self, sql: &str) -> impl Future<Output = QueryResult<Scope>> + Send;

    /// Opens a savepoint in the transaction that is open.
    fn set_savepoint(&mut self) -> impl Future<Output = QueryResult<()>> + Send;

    /// Commits the innermost transaction, or releases the innermost savepoint.
    fn commit(&mut self) -> impl Future<Output = QueryResult<()>> + Send;

    /// Rolls the innermost back.
    fn roll_back(&mut self) -> impl Future<Output = QueryResult<()>> + Send;

    /// Runs statements that return nothing and cannot be prepared, in one round trip.
    fn batch(&mut self, sql: &str) -> impl Future<Output = QueryResult<()>> + Send;

    #[cfg(feature = "_mysql")]
    fn pause(&mut self, duration: Duration) -> impl Future<Output = ()> + Send;
}

/// Rolls back everything that was opened above this depth.
pub(crate) async fn roll_back_to<C: Server>(conn: &mut C, depth: u32) {
    while conn.depth().is_ok_and(|open| open > depth) {
        // If a savepoint is gone, what is around it must not be left open; diesel counts down all the same.
        let _ = conn.roll_back().await;
    }
}

/// Rolls back to the innermost savepoint, and leaves it for `roll_back_to` to end. diesel does not report a
/// savepoint that is gone, if an error came before.
pub(crate) async fn undo<C: Server>(conn: &mut C) -> QueryResult<()> {
    let savepoint = conn.depth()?.saturating_sub(1);
    conn.batch(&format!("ROLLBACK TO SAVEPOINT diesel_savepoint_{savepoint}")).await
}
