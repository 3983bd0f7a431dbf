use std::ops::ControlFlow::{Break, Continue};
use std::thread;
use std::time::Instant;

use crate::decision::DEFAULT_ATTEMPTS;
use crate::decision::attempts::Attempts;
use crate::observe;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::write_transaction::write_transaction;
use crate::store::EventStore;
use crate::store::run_again::{RunAgain, last_or_pause};

impl EventStore {
    /// Runs a transaction that is going to write, and runs it again when it has lost against another: for
    /// commands that also write rows of the application.
    ///
    /// It begins as [`write_transaction`](crate::write_transaction) does. If it fails with an error that [may
    /// run again](RunAgain), everything is rolled back and `work` is called again after a short random pause,
    /// up to [`DEFAULT_ATTEMPTS`] times in all. So `work` must not change anything outside the transaction.
    /// Metric: `transaction.run_again`.
    ///
    /// If `work` expects a version that it has not read itself, such as
    /// [`NoStream`](crate::ExpectedVersion::NoStream), the conflict comes back with each attempt. An error of
    /// yours that does not ask for another run saves these attempts.
    ///
    /// Inside a transaction that is open already, it is a savepoint and runs once: the outermost transaction
    /// has to be run again.
    ///
    /// After a lost connection it never tries again, since the transaction may have been committed.
    ///
    /// # Errors
    ///
    /// What `work` returns the last time, or, as `E`, diesel's error if the transaction cannot begin or
    /// commit.
    ///
    /// # Example
    ///
    /// ```
    /// use diesel::prelude::*;
    /// use diesel_event_store::{Error, EventStore, ExpectedVersion, NewEvent, StreamId};
    ///
    /// # fn main() -> Result<(), Error> {
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # diesel_event_store::run_pending_migrations(&mut conn)?;
    /// # diesel::sql_query("CREATE TABLE seats (guest TEXT NOT NULL)").execute(&mut conn)?;
    /// let (store, show) = (EventStore::new(), StreamId::new("Show", "tonight")?);
    /// let seat = store.transaction(&mut conn, |conn| -> Result<i64, Error> {
    ///     let taken = store.version(conn, &show)?;
    ///     let booked = NewEvent::new("SeatBooked", &"Alice")?;
    ///     let seat = store.append(conn, &show, ExpectedVersion::Exact(taken), &[booked])?.version();
    ///     diesel::sql_query("INSERT INTO seats VALUES ('Alice')").execute(conn)?;
    ///     Ok(seat)
    /// })?;
    /// assert_eq!(seat, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn transaction<C, T, E>(
        &self,
        conn: &mut C,
        mut work: impl FnMut(&mut C) -> Result<T, E>,
    ) -> Result<T, E>
    where
        C: EventConnection + ?Sized,
        E: From<diesel::result::Error> + RunAgain,
    {
        if conn.database().depth()? > 0 {
            return write_transaction(conn, work);
        }
        let mut attempts = Attempts::up_to(DEFAULT_ATTEMPTS);
        loop {
            let begun = Instant::now();
            match last_or_pause(write_transaction(conn, &mut work), begun, &mut attempts) {
                Break(outcome) => return outcome,
                Continue(pause) => {
                    observe::transaction_run_again(attempts.made());
                    thread::sleep(pause);
                }
            }
        }
    }
}
