use diesel::mysql::Mysql;
use diesel::result::QueryResult;

use super::error::kind;
use crate::storage::error_kind::DatabaseErrorKind;
use crate::storage::server::Server;
use crate::storage::sql::statement::statement;

statement! {
    for Mysql;
    SetIsolation,
    "SET TRANSACTION ISOLATION LEVEL READ COMMITTED"
}

/// Outside of transactions, a savepoint is gone before it can be released.
const TRY_SAVEPOINT: &str = "SAVEPOINT diesel_event_store; RELEASE SAVEPOINT diesel_event_store";

/// Refuses to go on in a transaction that diesel believes in and the server has rolled back.
pub(super) async fn refuse_lost_transaction<C: Server<Backend = Mysql>>(conn: &mut C) -> QueryResult<()> {
    if conn.depth()? == 0 {
        return Ok(());
    }
    conn.batch(TRY_SAVEPOINT).await
}

/// Whether no transaction is open: neither one of diesel's nor one that it does not know of, which only the
/// server refuses to have changed.
pub(super) async fn is_outside_transactions<C: Server<Backend = Mysql>>(conn: &mut C) -> QueryResult<bool> {
    if conn.depth()? > 0 {
        return Ok(false);
    }
    match conn.execute(SetIsolation).await {
        Ok(_) => Ok(true),
        Err(error) if kind(&error) == DatabaseErrorKind::ForeignTransaction => Ok(false),
        Err(error) => Err(error),
    }
}
