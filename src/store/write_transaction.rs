use crate::storage::connection::EventConnection;
use crate::storage::write_transaction;

/// Runs a transaction that is going to write, begun as it should be on the database at hand: the same code is
/// right on SQLite, PostgreSQL and MySQL.
///
/// It commits if `work` returns `Ok`, and rolls back if it returns `Err` or panics. It retries nothing; the
/// errors of this crate say by `is_retryable()` whether to run it again.
///
/// | database | how it begins |
/// |---|---|
/// | SQLite | with the write lock, as after `BEGIN IMMEDIATE`: it waits for that for up to the connection's `busy_timeout`, and not half-way, where a transaction that has read would fail at once |
/// | PostgreSQL | `BEGIN`, in the session's isolation level. Default: READ COMMITTED |
/// | MySQL, MariaDB | `START TRANSACTION` in READ COMMITTED, which locks no gaps between rows |
///
/// Inside a transaction that is open already it is a savepoint: it can be rolled back by itself, and is
/// committed with the outermost transaction. How that one was begun does not change.
///
/// A transaction that has ended too early is not reported as committed: this function fails with
/// [`TransactionEnded`](crate::DatabaseErrorKind::TransactionEnded). That is so if `work` has sent `COMMIT` or
/// `ROLLBACK` as SQL, even if it has then begun another transaction, or has ignored an error with which the
/// database has rolled back (a deadlock on MySQL, say). On MySQL and MariaDB, `CREATE TABLE` commits, too. A
/// node of Galera may roll a transaction back without saying so; there it fails with a retryable `Deadlock`.
///
/// PostgreSQL aborts a transaction at the first error of any statement, answers its COMMIT with success all
/// the same, and keeps nothing of it. If `work` ignores such an error and returns `Ok`, this fails with
/// PostgreSQL's "current transaction is aborted". Put a statement that may fail into a savepoint: a
/// `write_transaction` inside this one. A transaction that was begun with SQL is refused on PostgreSQL and on
/// MySQL, and stays open ([`ForeignTransaction`](crate::DatabaseErrorKind::ForeignTransaction)).
///
/// # Errors
///
/// What `work` returns, or, as `E`, diesel's error if the transaction cannot begin or commit; nothing of it
/// is in the database then. There are two exceptions. An error of a commit whose connection was lost leaves
/// open whether the transaction went through. And if `work` has sent `COMMIT` as SQL and then returns an error,
/// that error is what is returned, and what it has committed stays. On SQLite the transaction cannot begin
/// before the [migrations](crate::run_pending_migrations) have run.
///
/// # Example
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::{
///     Error, EventConnection, EventStore, ExpectedVersion, NewEvent, StreamId, write_transaction,
/// };
///
/// /// On any database.
/// fn withdraw<C: EventConnection>(conn: &mut C, account: &StreamId, cents: i64) -> Result<bool, Error> {
///     let store = EventStore::new();
///     write_transaction(conn, |conn| {
///         let events = store.read_stream(conn, account, ..)?;
///         let mut balance = 0;
///         for event in events.events() {
///             balance += event.payload::<i64>()?;
///         }
///         if balance < cents {
///             return Ok(false);
///         }
///         let withdrawn = NewEvent::new("Withdrawn", &-cents)?;
///         store.append(conn, account, ExpectedVersion::Exact(events.version()), &[withdrawn])?;
///         Ok(true)
///     })
/// }
/// # fn main() -> Result<(), Error> {
/// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// # let account = StreamId::new("Account", 7)?;
/// # let deposited = NewEvent::new("Deposited", &500)?;
/// # EventStore::new().append(&mut conn, &account, ExpectedVersion::NoStream, &[deposited])?;
/// assert!(withdraw(&mut conn, &account, 400)?);
/// assert!(!withdraw(&mut conn, &account, 400)?);
/// # Ok(())
/// # }
/// ```
pub fn write_transaction<C, T, E>(conn: &mut C, work: impl FnOnce(&mut C) -> Result<T, E>) -> Result<T, E>
where
    C: EventConnection + ?Sized,
    E: From<diesel::result::Error>,
{
    write_transaction::write_transaction(conn, work)
}
