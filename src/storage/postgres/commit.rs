use diesel::pg::Pg;
use diesel::result::QueryResult;

use super::begun::{COMMIT, ended, why_refused};
#[cfg(not(feature = "_blocking"))]
use crate::storage::no_connection::NoConnection;
use crate::storage::server::Server;

pub(super) trait EndTransaction: Server<Backend = Pg> {
    /// Ends the outermost transaction with this SQL.
    fn end_transaction(&mut self, sql: &str) -> impl Future<Output = QueryResult<()>> + Send;
}

/// Commits the innermost transaction, or releases the innermost savepoint, which PostgreSQL refuses by itself
/// after an error. Refuses a transaction that the application has ended.
pub(super) async fn commit<C: EndTransaction>(conn: &mut C) -> QueryResult<()> {
    let committed = match conn.depth()? {
        0 => Err(ended()),
        1 => conn.end_transaction(COMMIT).await,
        _ => conn.commit().await,
    };
    committed.map_err(why_refused)
}

#[cfg(not(feature = "_blocking"))]
impl EndTransaction for NoConnection {
    async fn end_transaction(&mut self, _: &str) -> QueryResult<()> {
        match *self {}
    }
}
