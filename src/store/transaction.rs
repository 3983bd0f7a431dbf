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
    /// After a lost connection it never tries again, since the transaction may have been committed. Nor does
    /// it if `work` has ended the transaction itself, with `COMMIT` as SQL for instance, because what that has
    /// committed would be there twice: if `work` returns `Ok` or an error that may run again, it fails with
    /// [`TransactionEnded`](crate::DatabaseErrorKind::TransactionEnded) instead. Any other error of `work` is
    /// returned as it is. MySQL and MariaDB cannot always tell this from a deadlock. There, `work` must not
    /// commit, by SQL or with DDL, and then return an error that may run again.
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
            let outcome = write_transaction(conn, |conn| tried(conn, &mut work, &mut attempts));
            match last_or_pause(outcome, begun, &mut attempts) {
                Break(outcome) => return outcome,
                Continue(pause) => {
                    observe::transaction_run_again(attempts.made());
                    thread::sleep(pause);
                }
            }
        }
    }
}

/// What the work has committed by itself would be there twice if it ran again.
fn tried<C, T, E>(
    conn: &mut C,
    work: &mut impl FnMut(&mut C) -> Result<T, E>,
    attempts: &mut Attempts,
) -> Result<T, E>
where
    C: EventConnection + ?Sized,
    E: From<diesel::result::Error> + RunAgain,
{
    let outcome = work(conn);
    if outcome.as_ref().is_err_and(E::may_run_again) {
        conn.database().refuse_ended().inspect_err(|_| attempts.give_up())?;
    }
    outcome
}
