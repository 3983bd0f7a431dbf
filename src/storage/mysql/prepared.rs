use diesel::result::QueryResult;

#[cfg(not(feature = "_blocking"))]
use crate::storage::no_connection::NoConnection;

/// MariaDB's client library waits for rows that will never come when a prepared statement is executed again
/// whose rows were cut short by an error: by KILL QUERY, say, or on a node of Galera by what another node has
/// committed. So after an error that may have come among rows, the prepared statements are thrown away.
pub(super) trait PreparedStatements {
    /// Asks the server, which may answer that it has rolled the transaction back, and says so only once.
    fn forget_statements(&mut self) -> QueryResult<()>;
}

#[cfg(not(feature = "_blocking"))]
impl PreparedStatements for NoConnection {
    fn forget_statements(&mut self) -> QueryResult<()> {
        match *self {}
    }
}
