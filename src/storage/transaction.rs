use diesel::connection::{AnsiTransactionManager as Manager, TransactionManager};
use diesel::result::{Error, QueryResult};

use crate::storage::connection::{EventConnection, HasDatabase};

/// A transaction that this crate opens, and in which it lends the connection to the application.
pub(crate) trait Transactions {
    /// How many transactions and savepoints are open.
    fn depth(&mut self) -> QueryResult<u32>;

    /// Opens a transaction that is going to write, or a savepoint in the one that is open.
    fn begin(&mut self) -> QueryResult<()>;

    /// Ends the innermost. [`is_missing_savepoint`] tells whether that has failed because the application had ended it.
    fn commit(&mut self) -> QueryResult<()>;

    /// Undoes everything that was opened above this depth. What has made it necessary matters more to the caller than a
    /// failure to roll back, of which diesel takes note itself: it marks the connection as broken.
    fn roll_back_to(&mut self, depth: u32);

    /// Before the application gets the connection.
    fn begin_loan(&mut self) -> QueryResult<()>;

    /// After that: whether it has left open what was open, as far as one must know before anything else is written. By SQL it
    /// can end transactions without diesel's taking note.
    fn end_loan(&mut self) -> QueryResult<bool>;
}

/// What a connection of diesel's can do.
pub(crate) trait Diesel: diesel::Connection<TransactionManager = Manager> {}

impl<C: diesel::Connection<TransactionManager = Manager>> Diesel for C {}

pub(crate) fn depth<C: Diesel>(conn: &mut C) -> QueryResult<u32> {
    let status = Manager::transaction_manager_status_mut(conn);
    Ok(status.transaction_depth()?.map_or(0, Into::into))
}

/// Whether it was a transaction that was opened, by this SQL, or a savepoint.
#[derive(PartialEq)]
pub(crate) enum Scope {
    Transaction,
    Savepoint,
}

pub(crate) fn begin<C: Diesel>(conn: &mut C, sql: &str) -> QueryResult<Scope> {
    match Manager::begin_transaction_sql(conn, sql) {
        Ok(()) => Ok(Scope::Transaction),
        Err(Error::AlreadyInTransaction) => Manager::begin_transaction(conn).map(|()| Scope::Savepoint),
        Err(error) => Err(error),
    }
}

/// `prepare` is called before each step, with the depth that is left by it.
pub(crate) fn roll_back_to<C: Diesel>(conn: &mut C, to: u32, prepare: fn(&mut C, u32)) {
    while let Ok(open) = depth(conn) {
        if open <= to {
            break;
        }
        prepare(conn, open);
        // If a savepoint is gone, what is around it must not be left open; diesel counts down all the same.
        let _ = Manager::rollback_transaction(conn);
    }
}

/// Ends a loan that was begun with a savepoint: if the transaction was ended, by whatever means, that is gone.
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub(crate) fn end_loan_in_savepoint<C: Diesel>(conn: &mut C) -> QueryResult<bool> {
    match Manager::commit_transaction(conn) {
        Ok(()) => Ok(true),
        Err(error) if is_missing_savepoint(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Each database has its own words for it.
pub(crate) fn is_missing_savepoint(error: &Error) -> bool {
    let text = error.to_string();
    ["no such savepoint", "SAVEPOINT can only be used in transaction blocks"]
        .iter()
        .any(|part| text.contains(part))
        || (text.contains("avepoint") || text.contains("AVEPOINT")) && text.contains("does not exist")
}

/// All or nothing, in a transaction of its own or in a savepoint.
pub(crate) fn in_transaction<C, T, E>(conn: &mut C, work: impl FnOnce(&mut C) -> Result<T, E>) -> Result<T, E>
where
    C: EventConnection + ?Sized,
    E: From<Error>,
{
    let depth = conn.database().depth()?;
    conn.database().begin()?;
    let outcome = work(conn).and_then(|value| {
        conn.database().commit()?;
        Ok(value)
    });
    if outcome.is_err() {
        conn.database().roll_back_to(depth);
    }
    outcome
}
