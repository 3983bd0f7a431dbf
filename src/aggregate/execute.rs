use super::{AggregateRef, ExecuteError};
use crate::decision::{Aggregate, Decide, Executed};
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::now::now;

impl<A: Aggregate> AggregateRef<A> {
    /// Loads the aggregate, has it decide on a command, and appends what it has decided.
    ///
    /// If nothing is decided, nothing is appended and no version is compared: that is a success.
    ///
    /// | | alone | inside a transaction of the application |
    /// |---|---|---|
    /// | how | reads, decides without a transaction, appends at the version that was read | locks the head of the stream, reads, decides, appends |
    /// | another append is faster | reads only what is new and decides again, after a short random pause | is impossible on SQLite, and in READ COMMITTED if the stream has events |
    /// | in a higher isolation level | the same | the conflict or deadlock is returned |
    ///
    /// **Alone** it is tried again after a conflict, a deadlock or a lock that was not released in time, up
    /// to [`attempts`](Self::attempts) times; with [`expecting`](Self::expecting) it is not. Metric:
    /// `aggregate.retried`. After a lost connection it is never tried again, because the events may have been
    /// recorded.
    ///
    /// **Inside a transaction** it is never tried again, since everything else that the transaction has read
    /// may be out of date: [`EventStore::transaction`](crate::EventStore::transaction) runs the whole again.
    /// A transaction should begin as that one does: in MySQL's default, REPEATABLE READ, what was read before
    /// the lock stays as it was.
    ///
    /// **With an [idempotency key](Self::idempotency_key)** a command that is repeated, also at the same
    /// moment, gets the result of the first one. Inside a transaction above READ COMMITTED, a repetition of
    /// what was recorded since its snapshot is a [`Deadlock`](crate::DatabaseErrorKind::Deadlock).
    ///
    /// # Errors
    ///
    /// - [`ExecuteError::Rejected`]: the aggregate has rejected the command.
    /// - [`ExecuteError::Load`]: it could not be loaded, or an id that was given cannot be stored.
    /// - [`ExecuteError::Append`]: a [conflict](crate::AppendError::Conflict), an event that cannot be stored
    ///   or could not be read back, or an idempotency key that was [used for something
    ///   else](crate::AppendError::KeyReused).
    /// - [`ExecuteError::Database`]: the database refused or failed.
    ///
    /// A panic in the decision passes through. Nothing is appended, and alone no transaction is open. What
    /// was decided is folded after it was appended, because the state before it is needed until then: a panic
    /// in [`evolve`](crate::Evolve::evolve) passes through as well, and alone the events are recorded.
    ///
    /// # Example
    ///
    /// See [`EventStore::aggregate`](crate::EventStore::aggregate) for a whole aggregate.
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// fn ship<A: Decide<&'static str>>(conn: &mut impl EventConnection) -> Result<i64, ExecuteError<A::Error>> {
    ///     let order = EventStore::new().aggregate::<A>("o-1").correlation_id("request-4711");
    ///     Ok(order.execute(conn, &"ship")?.version)
    /// }
    /// ```
    pub fn execute<Command, C>(
        self,
        conn: &mut C,
        command: &Command,
    ) -> Result<Executed<A>, ExecuteError<<A as Decide<Command>>::Error>>
    where
        Command: ?Sized,
        C: EventConnection + ?Sized,
        A: Decide<Command>,
    {
        self.update(conn, |state| state.decide(command))
    }

    /// The same as [`execute`](Self::execute), with a closure that decides. It may be called several times.
    ///
    /// # Errors
    ///
    /// As [`execute`](Self::execute).
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// # use std::convert::Infallible;
    /// fn record<A: Aggregate>(
    ///     conn: &mut impl EventConnection,
    ///     happened: fn() -> A::Event,
    /// ) -> Result<i64, ExecuteError<Infallible>> {
    ///     let order = EventStore::new().aggregate::<A>("o-1");
    ///     Ok(order.update(conn, |_| Ok(vec![happened()]))?.version)
    /// }
    /// ```
    pub fn update<E, C: EventConnection + ?Sized>(
        self,
        conn: &mut C,
        decide: impl FnMut(&A) -> Result<Vec<A::Event>, E>,
    ) -> Result<Executed<A>, ExecuteError<E>> {
        now(self.run(&mut conn.database(), decide))
    }
}
