use std::thread;
use std::time::Duration;

use diesel::RunQueryDsl;
use diesel::connection::{AnsiTransactionManager, TransactionManager};
use diesel::mysql::MysqlConnection;
use diesel::result::QueryResult;

use super::interrupted::forget_statements;
use crate::storage::error::classify;
use crate::storage::error::{DatabaseError, OperationError};
use crate::storage::error_kind::DatabaseErrorKind;
use crate::storage::sql::statement::statement;
use crate::storage::transaction::{self, Scope, Transactions};

type Manager = AnsiTransactionManager;

/// READ COMMITTED locks no gaps between rows, and it is what the first statement would make of REPEATABLE READ anyway. The
/// server refuses it while a transaction is open, of which diesel may not know: to begin another would commit that one.
const BEGIN: &str = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; START TRANSACTION";

/// How often an own transaction is tried that the database ends for another's sake.
const ATTEMPTS: u32 = 10;

/// Runs `work` all or nothing: in a transaction of its own, or in a savepoint of the application's transaction. Only one of
/// its own is run again after a deadlock.
pub(super) fn all_or_nothing<T, E>(
    conn: &mut MysqlConnection,
    mut work: impl FnMut(&mut MysqlConnection) -> Result<T, E>,
) -> Result<T, E>
where
    E: OperationError,
{
    let mut attempt = 1;
    loop {
        let scope = transaction::begin(conn, BEGIN)?;
        match run(conn, &scope, &mut work) {
            Err(error) if scope == Scope::Transaction && attempt < ATTEMPTS && is_deadlock(&error) => {
                thread::sleep(Duration::from_millis(attempt.into()));
                attempt += 1;
            }
            outcome => return outcome,
        }
    }
}

fn run<T, E>(
    conn: &mut MysqlConnection,
    scope: &Scope,
    work: impl FnOnce(&mut MysqlConnection) -> Result<T, E>,
) -> Result<T, E>
where
    E: OperationError,
{
    let error = match work(conn) {
        Ok(value) => match Manager::commit_transaction(conn) {
            Ok(()) => return Ok(value),
            // diesel has rolled it back, if it can be.
            Err(error) if *scope == Scope::Transaction => return Err(error.into()),
            // diesel counts the savepoint for there.
            Err(error) => error.into(),
        },
        Err(error) => error,
    };
    // What has been reported already matters more to the caller than a failure to roll back, of which diesel takes note
    // itself: it marks the connection as broken, or the transaction as one that can only be rolled back.
    let _ = Manager::rollback_transaction(conn);
    if let Some(database_error) = error.database_error() {
        forget_statements(conn, database_error.kind());
    }
    Err(error)
}

fn is_deadlock<E: OperationError>(error: &E) -> bool {
    error.database_error().map(DatabaseError::kind) == Some(DatabaseErrorKind::Deadlock)
}

statement! {
    for MysqlConnection;
    SetIsolation,
    "SET TRANSACTION ISOLATION LEVEL READ COMMITTED"
}

/// Whether no transaction is open: neither one of diesel's nor one that it does not know of, which only the server refuses to
/// have changed.
pub(super) fn is_outside_transactions(conn: &mut MysqlConnection) -> QueryResult<bool> {
    let status = <Manager as TransactionManager<MysqlConnection>>::transaction_manager_status_mut(conn);
    if status.transaction_depth()?.is_some() {
        return Ok(false);
    }
    match SetIsolation.execute(conn) {
        Ok(_) => Ok(true),
        Err(error) if classify(&error) == DatabaseErrorKind::ForeignTransaction => Ok(false),
        Err(error) => Err(error),
    }
}

impl Transactions for MysqlConnection {
    fn depth(&mut self) -> QueryResult<u32> {
        transaction::depth(self)
    }

    /// In the application's isolation level, since its handlers run in it. The server refuses the first statement, too, while a
    /// transaction is open.
    fn begin(&mut self) -> QueryResult<()> {
        transaction::begin(self, "SET TRANSACTION READ WRITE; START TRANSACTION").map(drop)
    }

    fn commit(&mut self) -> QueryResult<()> {
        Manager::commit_transaction(self)
    }

    fn roll_back_to(&mut self, depth: u32) {
        transaction::roll_back_to(self, depth, |conn, _| forget_statements(conn, DatabaseErrorKind::Other));
    }

    fn begin_loan(&mut self) -> QueryResult<()> {
        Manager::begin_transaction(self)
    }

    fn end_loan(&mut self) -> QueryResult<bool> {
        transaction::end_loan_in_savepoint(self)
    }
}
