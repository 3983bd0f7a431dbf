use diesel::pg::Pg;
use diesel::result::QueryResult;

#[cfg(not(feature = "_blocking"))]
use crate::storage::no_connection::NoConnection;
use crate::storage::server::Server;

/// PostgreSQL answers the COMMIT of a transaction that an error has aborted with success, and rolls it back.
/// So a statement goes before it, in the same round trip, which is refused there; then the COMMIT is not
/// carried out.
const COMMIT: &str = "SELECT 1; COMMIT";

pub(super) trait EndTransaction: Server<Backend = Pg> {
    /// Ends the outermost transaction with this SQL.
    fn end_transaction(&mut self, sql: &str) -> impl Future<Output = QueryResult<()>> + Send;
}

/// Commits the innermost transaction, or releases the innermost savepoint, which PostgreSQL refuses by itself
/// after an error.
pub(super) async fn commit<C: EndTransaction>(conn: &mut C) -> QueryResult<()> {
    if conn.depth()? == 1 { conn.end_transaction(COMMIT).await } else { conn.commit().await }
}

#[cfg(not(feature = "_blocking"))]
impl EndTransaction for NoConnection {
    async fn end_transaction(&mut self, _: &str) -> QueryResult<()> {
        match *self {}
    }
}
