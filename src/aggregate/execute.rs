use super::load::{read_all, read_on};
use super::{AggregateRef, ExecuteError, LoadError};
use crate::decision::decided::Decided;
use crate::decision::{Aggregate, Decide, Executed, Loaded};
use crate::model::expected_version::{Conflict, ExpectedVersion};
use crate::model::stream_id::StreamId;
use crate::observe;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::store::run_again::attempt;

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
    /// # Errors
    ///
    /// - [`ExecuteError::Rejected`]: the aggregate has rejected the command.
    /// - [`ExecuteError::Load`]: it could not be loaded, or an id that was given cannot be stored.
    /// - [`ExecuteError::Append`]: a [conflict](crate::AppendError::Conflict), or an event that cannot be
    ///   stored or could not be read back.
    /// - [`ExecuteError::Database`]: the database refused or failed.
    ///
    /// A panic in the decision passes through. Nothing is appended, and alone no transaction is open.
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
        &self,
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
        &self,
        conn: &mut C,
        mut decide: impl FnMut(&A) -> Result<Vec<A::Event>, E>,
    ) -> Result<Executed<A>, ExecuteError<E>> {
        let stream = self.stream().map_err(LoadError::from)?;
        let is_alone = conn.database().depth()? == 0;
        if is_alone && self.expected.is_none() {
            return self.alone(conn, stream, &mut decide);
        }
        if !is_alone {
            conn.database().lock_head(stream)?;
        }
        let loaded = read_all(conn, stream)?;
        self.decide_on(loaded, conn, stream, &mut None, &mut decide)
    }

    /// Again and again, as long as another append is faster. What was loaded and where the stream ends stays
    /// known, so that a further attempt reads only what is new.
    fn alone<E, C: EventConnection + ?Sized>(
        &self,
        conn: &mut C,
        stream: &StreamId,
        decide: &mut impl FnMut(&A) -> Result<Vec<A::Event>, E>,
    ) -> Result<Executed<A>, ExecuteError<E>> {
        let (mut known, tell) = (None, |attempt| observe::aggregate_retried(stream, attempt));
        attempt(self.attempts, tell, |attempt| {
            let loaded = match known.take() {
                None => read_on(conn, stream, None)?,
                Some((loaded, end)) => read_on(conn, stream, Some(loaded))?.at_least(end),
            };
            let executed = self.decide_on(loaded, conn, stream, &mut known, decide)?;
            Ok(executed.after(attempt))
        })
    }

    /// What was loaded is `known` after an append that has failed, and where the stream ends.
    fn decide_on<E, C: EventConnection + ?Sized>(
        &self,
        loaded: Loaded<A>,
        conn: &mut C,
        stream: &StreamId,
        known: &mut Option<(Loaded<A>, i64)>,
        decide: &mut impl FnMut(&A) -> Result<Vec<A::Event>, E>,
    ) -> Result<Executed<A>, ExecuteError<E>> {
        self.check_expected(stream, loaded.version)?;
        let events = decide(&loaded.state).map_err(ExecuteError::Rejected)?;
        let decided = Decided::new(&events, stream, loaded.version, &self.envelope)?;
        if events.is_empty() {
            return Ok(decided.executed(loaded, Vec::new()));
        }
        let expected = ExpectedVersion::Exact(loaded.version);
        match self.store.append(conn, stream, expected, decided.new_events()) {
            Ok(appended) => Ok(decided.executed(loaded, appended.into_events())),
            Err(error) => {
                let end = error.conflict().map_or(loaded.version, |conflict| conflict.actual);
                *known = Some((loaded, end));
                Err(error.into())
            }
        }
    }

    /// Whether the client has seen the version that is decided on.
    fn check_expected(&self, stream: &StreamId, actual: i64) -> Result<(), Conflict> {
        match self.expected {
            Some(expected) if !expected.allows(actual) => {
                let conflict = Conflict { stream: stream.clone(), expected, actual };
                observe::conflict(&conflict);
                Err(conflict)
            }
            _ => Ok(()),
        }
    }
}
