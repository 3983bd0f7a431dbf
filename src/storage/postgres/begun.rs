//! How a transaction of this crate is known again. With SQL of its own the application can end it and begin
//! another, which diesel does not tell apart.

use diesel::pg::Pg;
use diesel::result::{Error, QueryResult};

use super::error::{is_aborted, is_missing_savepoint};
use crate::storage::error_kind::DatabaseErrorKind;
use crate::storage::refused::Refused;
use crate::storage::server::Server;

macro_rules! mark {
    () => {
        "diesel_event_store.begun"
    };
}

macro_rules! ended {
    () => {
        "the transaction has ended"
    };
}

/// A statement that is refused unless the mark is this. A conversion that the planner cannot try out.
macro_rules! expect {
    ($condition:literal) => {
        concat!(
            "SELECT CASE WHEN coalesce(current_setting('",
            mark!(),
            "', true), '') ",
            $condition,
            " THEN 0 ELSE CAST(concat('",
            ended!(),
            "') AS int) END"
        )
    };
}

/// The mark is `open` until this transaction ends. After a COMMIT it is `committed`, and after a ROLLBACK
/// what it was before. SET is no query yet: the application can still choose the isolation level.
pub(super) const BEGIN: &str =
    concat!("BEGIN; SET ", mark!(), " = 'committed'; SET LOCAL ", mark!(), " = 'open'");

const EXPECT_OPEN: &str = expect!("= 'open'");

const EXPECT_NOT_COMMITTED: &str = expect!("<> 'committed'");

/// PostgreSQL answers the COMMIT of a transaction that an error has aborted with success, and rolls it back.
/// So a statement goes before it, in the same round trip, which is refused there; then the COMMIT is not
/// carried out.
pub(super) const COMMIT: &str = concat!(expect!("= 'open'"), "; RESET ", mark!(), "; COMMIT");

/// diesel takes note when the application ends a transaction by SQL, and not when it begins one: such a
/// transaction is still open. If there is none, this does nothing.
pub(super) const ROLLBACK: &str = concat!("ROLLBACK; RESET ", mark!());

/// Refuses to run again what has failed in this transaction, if the application has ended it.
pub(super) async fn refuse_ended<C: Server<Backend = Pg>>(conn: &mut C) -> QueryResult<()> {
    if conn.depth()? == 0 {
        return Err(ended());
    }
    match conn.batch(EXPECT_OPEN).await {
        Err(error) if is_aborted(&error) => refuse_committed(conn).await,
        expected => expected.map_err(why_refused),
    }
}

/// What is aborted answers no question. Once it is rolled back, what the application has committed before is
/// known all the same.
async fn refuse_committed<C: Server<Backend = Pg>>(conn: &mut C) -> QueryResult<()> {
    while conn.depth()? > 0 {
        conn.roll_back().await?;
    }
    conn.batch(EXPECT_NOT_COMMITTED).await.map_err(why_refused)
}

/// The transaction was not the one that was begun, or the savepoint was gone with it.
pub(super) fn why_refused(error: Error) -> Error {
    let message = error.to_string();
    if message.contains(ended!()) || is_missing_savepoint(&message) { ended() } else { error }
}

pub(super) fn ended() -> Error {
    Refused::error(DatabaseErrorKind::TransactionEnded, ended!())
}
