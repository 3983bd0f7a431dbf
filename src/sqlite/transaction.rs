use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::result::{Error, QueryResult};
use diesel::sqlite::SqliteConnection;

use crate::error::OperationError;
use crate::transaction::transactions;

type Manager = AnsiTransactionManager;

/// Runs `work` all or nothing: in a transaction of its own, or in a savepoint of the application's transaction.
///
/// An own transaction is IMMEDIATE: it waits for the write lock before it begins instead of failing half-way.
pub(super) fn all_or_nothing<T, E>(
    conn: &mut SqliteConnection,
    work: impl FnOnce(&mut SqliteConnection) -> Result<T, E>,
) -> Result<T, E>
where
    E: OperationError,
{
    let scope = begin(conn)?;
    match work(conn) {
        Ok(value) => {
            Manager::commit_transaction(conn)?;
            Ok(value)
        }
        Err(error) => {
            if scope == Scope::Transaction && error.database_error().is_some() {
                ensure_transaction(conn);
            }
            // What the work has reported matters more to the caller than a failure to roll back, of which diesel takes
            // note itself: it marks the connection as broken, or the transaction as one that can only be rolled back.
            let _ = Manager::rollback_transaction(conn);
            Err(error)
        }
    }
}

#[derive(PartialEq)]
enum Scope {
    Transaction,
    Savepoint,
}

fn begin(conn: &mut SqliteConnection) -> QueryResult<Scope> {
    match Manager::begin_transaction_sql(conn, "BEGIN IMMEDIATE") {
        Ok(()) => Ok(Scope::Transaction),
        Err(Error::AlreadyInTransaction) => Manager::begin_transaction(conn).map(|()| Scope::Savepoint),
        Err(error) => Err(error),
    }
}

/// After some failures (a full disk, an I/O error) SQLite has rolled back by itself. A ROLLBACK would then fail, and diesel
/// would take a sound connection for a broken one: so there must be something to roll back. If the transaction is still
/// there, this BEGIN fails and does nothing.
fn ensure_transaction(conn: &mut SqliteConnection) {
    let _ = conn.batch_execute("BEGIN");
}

transactions! {
    for SqliteConnection;
    begin: "BEGIN IMMEDIATE";
    before_rollback: |conn, open| if open == 1 { ensure_transaction(conn) };
    after_last: |_| ()
}
