use diesel::pg::Pg;
use diesel::result::QueryResult;
use diesel::sql_types::{Bool, Text};

use super::error::is_aborted;
use crate::storage::error_kind::DatabaseErrorKind;
use crate::storage::refused::Refused;
use crate::storage::server::Server;
use crate::storage::sql::statement::statement;

statement! {
    for Pg;
    /// Sets what is forgotten at the end of the transaction, which is that of the statement if no other is
    /// open.
    Mark -> Text,
    "SELECT set_config('diesel_event_store.transaction', 'marked', true)"
}

/// Whether this is the transaction that was marked.
macro_rules! is_marked {
    () => {
        "coalesce(current_setting('diesel_event_store.transaction', true) = 'marked', false)"
    };
}

pub(super) use is_marked;

statement! {
    for Pg;
    IsMarked -> Bool,
    concat!("SELECT ", is_marked!())
}

/// Marks the transaction that is open. If none is, nothing that comes after is marked.
pub(super) async fn mark<C: Server<Backend = Pg>>(conn: &mut C) -> QueryResult<()> {
    let _: String = conn.row(Mark).await?;
    Ok(())
}

/// Whether no transaction is open: neither one of diesel's nor one that it does not know of. PostgreSQL only
/// warns of a BEGIN inside a transaction, and to try what it refuses there would abort that transaction.
pub(super) async fn is_outside_transactions<C: Server<Backend = Pg>>(conn: &mut C) -> QueryResult<bool> {
    if conn.depth()? > 0 {
        return Ok(false);
    }
    mark(conn).await?;
    let is_marked: bool = conn.row(IsMarked).await?;
    Ok(!is_marked)
}

/// Refuses a transaction that diesel does not know of. It stays as it is, also if an error has aborted it.
pub(super) async fn refuse_foreign<C: Server<Backend = Pg>>(conn: &mut C) -> QueryResult<()> {
    if conn.depth()? > 0 {
        return Ok(());
    }
    match is_outside_transactions(conn).await {
        Ok(true) => Ok(()),
        Err(error) if !is_aborted(&error) => Err(error),
        _ => Err(Refused::error(DatabaseErrorKind::ForeignTransaction, "a transaction was begun with SQL")),
    }
}
