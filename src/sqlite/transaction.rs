use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::result::{Error, QueryResult};
use diesel::sqlite::SqliteConnection;

type Manager = AnsiTransactionManager;

/// Runs `work` all or nothing: in a transaction of its own, or in a savepoint of the application's transaction.
///
/// An own transaction is IMMEDIATE: it waits for the write lock before it begins instead of failing half-way.
pub(super) fn all_or_nothing<T, E>(
    conn: &mut SqliteConnection,
    work: impl FnOnce(&mut SqliteConnection) -> Result<T, E>,
) -> Result<T, E>
where
    E: From<Error>,
{
    let scope = begin(conn)?;
    match work(conn) {
        Ok(value) => {
            Manager::commit_transaction(conn)?;
            Ok(value)
        }
        Err(error) => {
            roll_back(conn, scope);
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

/// What the work has reported matters more to the caller than a failure to roll back, of which diesel takes note itself:
/// it marks the connection as broken, or the transaction as one that can only be rolled back.
fn roll_back(conn: &mut SqliteConnection, scope: Scope) {
    if scope == Scope::Transaction {
        // After some failures (full disk, I/O error) SQLite has rolled back by itself, a ROLLBACK would then fail, and
        // diesel would take a sound connection for a broken one. So there must be something to roll back. If the
        // transaction is still there, this BEGIN fails and does nothing.
        let _ = conn.batch_execute("BEGIN");
    }
    let _ = Manager::rollback_transaction(conn);
}
