use super::load::{read_all, read_on, read_to};
use super::snapshot::keep;
use super::{AggregateRef, ExecuteError, LoadError};
use crate::decision::decided::Decided;
use crate::decision::{Aggregate, Decide, Executed, Loaded};
use crate::model::append_batch::AppendBatch;
use crate::model::appended::Appended;
use crate::model::event::RecordedEvent;
use crate::model::expected_version::{Conflict, ExpectedVersion};
use crate::model::stream_id::StreamId;
use crate::observe;
use crate::storage::append::AppendError;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::error_kind::DatabaseErrorKind;
use crate::storage::now::now;
use crate::storage::refused::Refused;
use crate::store::repeated;
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
    ///
    /// The key is looked up once the state is loaded. If it is not used by then, the state is one from before
    /// the first request, and the second one decides as that did, until it meets its key.
    fn decide_on<E, C: EventConnection + ?Sized>(
        &self,
        loaded: Loaded<A>,
        conn: &mut C,
        stream: &StreamId,
        known: &mut Option<(Loaded<A>, i64)>,
        decide: &mut impl FnMut(&A) -> Result<Vec<A::Event>, E>,
    ) -> Result<Executed<A>, ExecuteError<E>> {
        if let Some(executed) = self.executed_before(conn, stream)? {
            return Ok(executed);
        }
        self.check_expected(stream, loaded.version)?;
        let events = decide(&loaded.state).map_err(ExecuteError::Rejected)?;
        let decided = Decided::new(&events, stream, loaded.version, &self.envelope)?;
        if events.is_empty() {
            return Ok(decided.executed(loaded, Vec::new()));
        }
        match self.append(conn, stream, loaded.version, &decided) {
            Ok(Some(recorded)) => {
                let before = loaded.version;
                let executed = decided.executed(loaded, recorded);
                keep(conn, stream, before, &executed, self.store.max_json_bytes)?;
                Ok(executed)
            }
            Ok(None) => self.executed_before(conn, stream)?.ok_or_else(|| key_deleted().into()),
            Err(error) => {
                let end = error.conflict().map_or(loaded.version, |conflict| conflict.actual);
                *known = Some((loaded, end));
                Err(error.into())
            }
        }
    }

    /// Returns no events if the same request was faster. It may have decided differently.
    fn append<C: EventConnection + ?Sized>(
        &self,
        conn: &mut C,
        stream: &StreamId,
        version: i64,
        decided: &Decided<A::Event>,
    ) -> Result<Option<Vec<RecordedEvent>>, AppendError> {
        let (expected, events) = (ExpectedVersion::Exact(version), decided.new_events());
        let Some(key) = &self.key else {
            return Ok(Some(self.store.append(conn, stream, expected, events)?.into_events()));
        };
        let batch = AppendBatch::new().append(stream, expected, events.to_vec()).idempotency_key(key);
        match self.store.append_batch(conn, &batch) {
            Ok(done) if !done.is_repeat() => Ok(done.into_streams().pop().map(Appended::into_events)),
            Ok(_) | Err(AppendError::KeyReused { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What came of the request the first time, if its key is used.
    fn executed_before<E, C: EventConnection + ?Sized>(
        &self,
        conn: &mut C,
        stream: &StreamId,
    ) -> Result<Option<Executed<A>>, ExecuteError<E>> {
        let Some(key) = &self.key else { return Ok(None) };
        let Some(events) = now(repeated::events(&mut conn.database(), stream, key))? else { return Ok(None) };
        let end = events.last().map_or(0, RecordedEvent::version);
        let loaded = read_to(conn, stream, end, Some(Loaded::initial(stream.aggregate_id())))?;
        Ok(Some(Executed::repeat(loaded, events)))
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

/// Between two looks. The next attempt finds it free.
fn key_deleted() -> diesel::result::Error {
    Refused::error(DatabaseErrorKind::Deadlock, "the idempotency key was deleted a moment ago")
}
