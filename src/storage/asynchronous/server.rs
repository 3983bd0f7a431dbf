//! What diesel-async's connections to servers have in common.

use diesel::connection::{TransactionDepthChange::DecreaseDepth, TransactionManagerStatus};
use diesel::result::{Error, QueryResult};
use diesel_async::{AnsiTransactionManager as Manager, AsyncConnection, TransactionManager};

use crate::storage::scope::Scope;

/// A connection of diesel-async's own.
pub(crate) trait DieselAsync: AsyncConnection<TransactionManager = Manager> {}

impl<C: AsyncConnection<TransactionManager = Manager>> DieselAsync for C {}

pub(crate) fn give_up<C: DieselAsync>(conn: &mut C) {
    Manager::transaction_manager_status_mut(conn).set_in_error();
}

/// diesel-async does not know, either, whether there is a transaction after the future of a BEGIN or of the
/// last COMMIT was dropped. It then says 0, and what is written might be acknowledged and lost.
pub(crate) fn depth<C: DieselAsync>(conn: &mut C) -> QueryResult<u32> {
    let status = Manager::transaction_manager_status_mut(conn);
    let depth = status.transaction_depth()?.map_or(0, Into::into);
    if depth == 0 && Manager::is_broken_transaction_manager(conn) {
        return Err(Error::BrokenTransactionManager);
    }
    Ok(depth)
}

/// Asks for the depth itself: diesel-async would forget about a BEGIN that was dropped before.
pub(crate) async fn begin<C: DieselAsync>(conn: &mut C, sql: &str) -> QueryResult<Scope> {
    match depth(conn)? {
        0 => Manager::begin_transaction_sql(conn, sql).await.map(|()| Scope::Transaction),
        _ => Manager::begin_transaction(conn).await.map(|()| Scope::Savepoint),
    }
}

/// Commits the innermost transaction, or releases the innermost savepoint. diesel-async stops counting a
/// savepoint also if it cannot be released, and then nobody would roll back to it.
pub(crate) async fn commit<C: DieselAsync>(conn: &mut C) -> QueryResult<()> {
    match depth(conn)? {
        0 | 1 => Manager::commit_transaction(conn).await,
        depth => end_transaction(conn, &format!("RELEASE SAVEPOINT diesel_savepoint_{}", depth - 1)).await,
    }
}

/// Ends the innermost transaction or savepoint with this SQL, and has diesel-async take note. If the future
/// is dropped meanwhile, it takes none: whoever has opened the transaction gives the connection up then.
pub(crate) async fn end_transaction<C: DieselAsync>(conn: &mut C, sql: &str) -> QueryResult<()> {
    conn.batch_execute(sql).await?;
    match Manager::transaction_manager_status_mut(conn) {
        TransactionManagerStatus::Valid(status) => status.change_transaction_depth(DecreaseDepth),
        TransactionManagerStatus::InError => Err(Error::BrokenTransactionManager),
    }
}
