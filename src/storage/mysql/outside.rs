use diesel::mysql::Mysql;
use diesel::result::{Error, QueryResult};
use diesel::sql_types::BigInt;

use super::error::{is_missing_savepoint, kind};
use super::galera::is_galera;
use crate::storage::error_kind::DatabaseErrorKind;
use crate::storage::refused::Refused;
use crate::storage::server::Server;
use crate::storage::sql::statement::statement;

/// Whether a statement outside of transactions is one of its own. Without autocommit, and with COMMIT AND
/// CHAIN, it is in a transaction that nothing ends.
macro_rules! ends_alone {
    () => {
        "@@autocommit AND @@completion_type <> 'CHAIN'"
    };
}

pub(super) use ends_alone;

statement! {
    for Mysql;
    EndsAlone -> BigInt,
    concat!("SELECT ", ends_alone!())
}

/// In a transaction the server refuses the first statement. What it sets is used up by the second.
const TRY_TRANSACTION: &str = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; START TRANSACTION; COMMIT";

/// Outside of transactions, a savepoint is gone before it can be released.
const TRY_SAVEPOINT: &str = "SAVEPOINT diesel_event_store; RELEASE SAVEPOINT diesel_event_store";

/// Refuses to go on in a transaction that diesel believes in and that has ended.
pub(super) async fn refuse_ended_transaction<C: Server<Backend = Mysql>>(conn: &mut C) -> QueryResult<()> {
    match refuse_lost_transaction(conn).await {
        Err(error) => Err(why_ended(conn, error).await),
        Ok(()) => Ok(()),
    }
}

/// The same after an error, which the server may have rolled the transaction back with.
pub(super) async fn refuse_lost_transaction<C: Server<Backend = Mysql>>(conn: &mut C) -> QueryResult<()> {
    if conn.depth()? == 0 {
        return Ok(());
    }
    conn.batch(TRY_SAVEPOINT).await
}

/// What a savepoint that is not there any more means where nothing has failed before. A node of Galera does
/// not say that it has rolled a transaction back. Any other server says so: there the application has passed
/// that over, or has ended the transaction itself, and would do so again.
pub(super) async fn why_ended<C: Server<Backend = Mysql>>(conn: &mut C, error: Error) -> Error {
    let message = error.to_string();
    if !is_missing_savepoint(&message) || is_galera(conn).await.unwrap_or(true) {
        return error;
    }
    ended(message)
}

pub(super) fn ended(message: impl Into<String>) -> Error {
    Refused::error(DatabaseErrorKind::TransactionEnded, message)
}

/// Refuses a statement that diesel takes for one of its own, where what it reads stays as it was and what it
/// writes is lost.
pub(super) async fn refuse_endless_transaction<C: Server<Backend = Mysql>>(conn: &mut C) -> QueryResult<()> {
    if conn.depth()? > 0 || conn.row::<_, i64>(EndsAlone).await? == 1 {
        return Ok(());
    }
    Err(endless_transaction())
}

pub(super) fn endless_transaction() -> Error {
    let reason = "outside of transactions, autocommit is 0 or completion_type is CHAIN";
    Refused::error(DatabaseErrorKind::ForeignTransaction, reason)
}

/// Whether no transaction is open: neither one of diesel's nor one that it does not know of, which only the
/// server refuses to have changed.
pub(super) async fn is_outside_transactions<C: Server<Backend = Mysql>>(conn: &mut C) -> QueryResult<bool> {
    Ok(conn.depth()? == 0 && has_no_transaction(conn).await?)
}

/// The same, whatever diesel believes.
pub(super) async fn has_no_transaction<C: Server<Backend = Mysql>>(conn: &mut C) -> QueryResult<bool> {
    match conn.batch(TRY_TRANSACTION).await {
        Ok(()) => Ok(true),
        Err(error) if kind(&error) == DatabaseErrorKind::ForeignTransaction => Ok(false),
        Err(error) => Err(error),
    }
}
