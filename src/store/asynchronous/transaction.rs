use std::ops::ControlFlow::{Break, Continue};
use std::time::Instant;

use tokio::time::sleep;

use crate::decision::DEFAULT_ATTEMPTS;
use crate::decision::attempts::Attempts;
use crate::observe;
use crate::storage::asynchronous::connection::AsyncEventConnection;
use crate::storage::asynchronous::write_transaction::{depth, refuse_ended, write_transaction};
use crate::store::asynchronous::AsyncEventStore;
use crate::store::run_again::{RunAgain, last_or_pause};

impl AsyncEventStore {
    /// Runs a transaction that is going to write, and runs it again when it has lost against another: see
    /// [`EventStore::transaction`](crate::EventStore::transaction). It begins and ends as
    /// [`async_write_transaction`](crate::async_write_transaction) does, even when its future is dropped.
    ///
    /// The pauses between attempts need the timer of the tokio runtime (`enable_time`, `enable_all`).
    ///
    /// # Errors
    ///
    /// What `work` returns the last time, or, as `E`, diesel's error if the transaction cannot begin or
    /// commit.
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use diesel_async::{AsyncConnection, sync_connection_wrapper::SyncConnectionWrapper};
    /// # let mut conn = SyncConnectionWrapper::<diesel::SqliteConnection>::establish(":memory:").await?;
    /// # async_run_pending_migrations(&mut conn).await?;
    /// # use diesel_async::SimpleAsyncConnection;
    /// # conn.batch_execute("CREATE TABLE seats (guest TEXT NOT NULL)").await?;
    /// let (store, show) = (AsyncEventStore::new(), StreamId::new("Show", "tonight")?);
    /// let book = async |conn: &mut SyncConnectionWrapper<_>| -> Result<i64, Error> {
    ///     let taken = store.version(conn, &show).await?;
    ///     let booked = NewEvent::new("SeatBooked", &"Alice")?;
    ///     let appended = store.append(conn, &show, ExpectedVersion::Exact(taken), &[booked]).await?;
    ///     conn.batch_execute("INSERT INTO seats VALUES ('Alice')").await?;
    ///     Ok(appended.version())
    /// };
    /// assert_eq!(store.transaction(&mut conn, book).await?, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn transaction<C, T, E>(
        &self,
        conn: &mut C,
        mut work: impl AsyncFnMut(&mut C) -> Result<T, E>,
    ) -> Result<T, E>
    where
        C: AsyncEventConnection + ?Sized,
        E: From<diesel::result::Error> + RunAgain,
    {
        if depth(conn).await? > 0 {
            return write_transaction(conn, work).await;
        }
        let mut attempts = Attempts::up_to(DEFAULT_ATTEMPTS);
        loop {
            let begun = Instant::now();
            let outcome = write_transaction(conn, async |conn| tried(conn, &mut work, &mut attempts).await);
            match last_or_pause(outcome.await, begun, &mut attempts) {
                Break(outcome) => return outcome,
                Continue(pause) => {
                    observe::transaction_run_again(attempts.made());
                    sleep(pause).await;
                }
            }
        }
    }
}

/// What the work has committed by itself would be there twice if it ran again.
async fn tried<C, T, E>(
    conn: &mut C,
    work: &mut impl AsyncFnMut(&mut C) -> Result<T, E>,
    attempts: &mut Attempts,
) -> Result<T, E>
where
    C: AsyncEventConnection + ?Sized,
    E: From<diesel::result::Error> + RunAgain,
{
    let outcome = work(conn).await;
    if outcome.as_ref().is_err_and(E::may_run_again) {
        refuse_ended(conn).await.inspect_err(|_| attempts.give_up())?;
    }
    outcome
}
