use diesel::RunQueryDsl;
use diesel::connection::{AnsiTransactionManager as Manager, SimpleConnection, TransactionManager};
use diesel::result::{Error, QueryResult};
use diesel::sqlite::{Sqlite, SqliteConnection};

use super::error::{has_rolled_back, is_missing_savepoint};
use crate::storage::blocking;
use crate::storage::error::OperationError;
use crate::storage::error_kind::DatabaseErrorKind;
use crate::storage::lent;
use crate::storage::refused::Refused;
use crate::storage::scope::Scope;
use crate::storage::sql::statement::statement;
use crate::storage::transactions::{Transactions, was_there};
use crate::storage::waiting::Waiting;

/// Runs `work` all or nothing: in a transaction of its own, or in a savepoint of the application's
/// transaction.
///
/// A transaction of its own is IMMEDIATE: it waits for the write lock before it begins instead of failing
/// half-way.
pub(super) fn all_or_nothing<T, E>(
    conn: &mut SqliteConnection,
    work: impl FnOnce(&mut SqliteConnection) -> Result<T, E>,
) -> Result<T, E>
where
    E: OperationError,
{
    let waiting = Waiting::begin();
    let scope = begin(conn, "BEGIN IMMEDIATE")?;
    // In a transaction of the application the work may be the first to write.
    let _waiting = (scope == Scope::Savepoint).then_some(waiting);
    match work(conn) {
        Ok(value) => {
            Manager::commit_transaction(conn)?;
            Ok(value)
        }
        Err(error) => {
            if scope == Scope::Transaction && error.database_error().is_some() {
                ensure_transaction(conn);
            }
            // What the work has reported matters more to the caller than a failure to roll back, of which
            // diesel takes note itself: it marks the connection as broken, or the transaction as one that can
            // only be rolled back.
            let _ = Manager::rollback_transaction(conn);
            Err(error)
        }
    }
}

/// Opens a transaction with this SQL, or a savepoint in the application's transaction.
pub(super) fn begin(conn: &mut SqliteConnection, sql: &str) -> QueryResult<Scope> {
    refuse_ended_transaction(conn)?;
    blocking::begin(conn, sql)
}

/// Refuses to go on in a transaction that diesel believes in and that has ended: each statement would be
/// committed by itself.
pub(super) fn refuse_ended_transaction(conn: &mut SqliteConnection) -> QueryResult<()> {
    match blocking::depth(conn)? > 0 && !is_open(conn)? {
        true => Err(ended("the transaction is not open any more")),
        false => Ok(()),
    }
}

/// Whether any transaction is: in it, SQLite refuses to begin another.
fn is_open(conn: &mut SqliteConnection) -> QueryResult<bool> {
    let is_open = conn.batch_execute("BEGIN").is_err();
    if !is_open {
        conn.batch_execute("ROLLBACK")?;
    }
    Ok(is_open)
}

/// The savepoint was gone with the transaction.
pub(super) fn why_refused(error: Error) -> Error {
    let message = error.to_string();
    if is_missing_savepoint(&message) { ended(message) } else { error }
}

fn ended(reason: impl Into<String>) -> Error {
    Refused::error(DatabaseErrorKind::TransactionEnded, reason)
}

/// After some failures (a full disk, an I/O error) SQLite has rolled back by itself. A ROLLBACK would then
/// fail, and diesel would take a sound connection for a broken one: so there must be something to roll back.
/// If the transaction is still there, this BEGIN fails and does nothing.
fn ensure_transaction(conn: &mut SqliteConnection) {
    let _ = conn.batch_execute("BEGIN");
}

/// A SAVEPOINT where no transaction is open begins one, and if the application ends that, it ends the
/// savepoint, too: so its RELEASE, which commits, tells whether the application has. Unlike a savepoint
/// inside a transaction, SQLite does not keep a copy of every page for it that is changed. It would also take
/// a transaction for its own that was begun by SQL: so a BEGIN comes first, which is refused then.
const BEGIN_LENDABLE: &str = "BEGIN; ROLLBACK; SAVEPOINT diesel_event_store";

/// Leaves the savepoint for `roll_back_to` to end. diesel does not report one that is gone, if an error came
/// before.
pub(super) const UNDO_LENDABLE: &str = "ROLLBACK TO diesel_event_store";

/// Leaves a transaction for diesel to end.
const COMMIT_LENDABLE: &str = "RELEASE diesel_event_store; BEGIN";

statement! {
    for Sqlite;
    /// What BEGIN IMMEDIATE does: a handler that writes nothing waits for the lock, too.
    TakeWriteLock,
    "DELETE FROM projection_checkpoints WHERE 0"
}

/// A transaction with the write lock, or a savepoint in the application's transaction.
pub(super) fn begin_lendable(conn: &mut SqliteConnection) -> QueryResult<()> {
    match begin(conn, BEGIN_LENDABLE)? {
        Scope::Savepoint => Ok(()),
        Scope::Transaction => TakeWriteLock.execute(conn).map(drop).inspect_err(|_| roll_back_to(conn, 0)),
    }
}

pub(super) fn commit_lendable(conn: &mut SqliteConnection) -> QueryResult<()> {
    if blocking::depth(conn)? == 1 {
        conn.batch_execute(COMMIT_LENDABLE).map_err(why_refused)?;
    }
    Manager::commit_transaction(conn).map_err(why_refused)
}

impl Transactions for lent::Sqlite<'_> {
    async fn has_one_writer(&mut self) -> bool {
        true
    }

    async fn depth(&mut self) -> QueryResult<u32> {
        blocking::depth(self.0)
    }

    /// `begin` does.
    async fn refuse_foreign(&mut self) -> QueryResult<()> {
        Ok(())
    }

    async fn begin(&mut self) -> QueryResult<()> {
        let _waiting = Waiting::begin();
        begin_lendable(self.0)
    }

    async fn commit(&mut self) -> QueryResult<()> {
        commit_lendable(self.0)
    }

    async fn roll_back_to(&mut self, depth: u32) {
        roll_back_to(self.0, depth);
    }

    async fn begin_loan(&mut self) -> QueryResult<()> {
        Ok(())
    }

    /// Whether a transaction is open. Whether it is still the same, `commit` finds out.
    async fn end_loan(&mut self) -> QueryResult<bool> {
        is_open(self.0)
    }

    async fn undo_loan(&mut self) -> QueryResult<bool> {
        was_there(match blocking::depth(self.0)? {
            1 => self.0.batch_execute(UNDO_LENDABLE),
            depth => self.0.batch_execute(&format!("ROLLBACK TO diesel_savepoint_{}", depth - 1)),
        })
    }

    async fn has_rolled_back(&mut self, message: &str) -> QueryResult<bool> {
        Ok(has_rolled_back(message))
    }
}

fn roll_back_to(conn: &mut SqliteConnection, depth: u32) {
    while let Ok(open) = blocking::depth(conn) {
        if open <= depth {
            break;
        }
        if open == 1 {
            ensure_transaction(conn);
        }
        // If a savepoint is gone, what is around it must not be left open; diesel counts down all the same.
        let _ = Manager::rollback_transaction(conn);
    }
}
