//! What diesel-async knows of its connection to SQLite without asking it.

use diesel::connection::TransactionManagerStatus;
use diesel::result::QueryResult;
use diesel::sqlite::SqliteConnection;
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use diesel_async::{AsyncConnection, TransactionManager};

type Connection = SyncConnectionWrapper<SqliteConnection>;

pub(crate) fn give_up(conn: &mut Connection) {
    status(conn).set_in_error();
}

pub(crate) fn depth(conn: &mut Connection) -> QueryResult<u32> {
    Ok(status(conn).transaction_depth()?.map_or(0, Into::into))
}

fn status(conn: &mut Connection) -> &mut TransactionManagerStatus {
    <Connection as AsyncConnection>::TransactionManager::transaction_manager_status_mut(conn)
}
