//! The rules of a command: load, decide, append, and again when another append was faster.

use std::ops::ControlFlow::{Break, Continue};
use std::time::Instant;

use super::any_connection::AnyConnection;
use super::append::Decision;
use super::history::{read_on, up_to};
use super::look::Look;
use super::snapshot::keep;
use super::{AggregateRef, ExecuteError, LoadError};
use crate::decision::attempts::Attempts;
use crate::decision::decided::Decided;
use crate::decision::{Aggregate, Executed, Loaded};
use crate::model::event::RecordedEvent;
use crate::model::expected_version::Conflict;
use crate::model::stream_id::StreamId;
use crate::observe;
use crate::storage::error_kind::DatabaseErrorKind;
use crate::storage::refused::Refused;
use crate::store::run_again::{RunAgain, last_or_pause};

/// What was loaded when an append has failed, and where the stream ends.
type Known<A> = Option<(Loaded<A>, i64)>;

impl<A: Aggregate, S> AggregateRef<A, S> {
    /// Alone again and again, as long as another append is faster. What was loaded and where the stream ends
    /// stays known, so that a further attempt reads only what is new.
    pub(super) async fn run<C: AnyConnection, E>(
        &self,
        conn: &mut C,
        mut decide: impl FnMut(&A) -> Result<Vec<A::Event>, E>,
    ) -> Result<Executed<A>, ExecuteError<E>> {
        let stream = self.stream().map_err(LoadError::from)?;
        let (mut known, mut attempts) = (None, Attempts::up_to(self.attempts));
        loop {
            let begun = Instant::now();
            let outcome = self.attempt(conn, stream, &mut known, &mut decide).await;
            if outcome.as_ref().is_err_and(RunAgain::may_run_again) && !self.may_try_again(conn).await {
                return outcome;
            }
            match last_or_pause(outcome, begun, &mut attempts) {
                Break(outcome) => return outcome.map(|executed| executed.after(attempts.made())),
                Continue(pause) => {
                    observe::aggregate_retried(stream, attempts.made());
                    conn.pause(pause).await;
                }
            }
        }
    }

    /// Whether nothing that the caller has seen speaks against another attempt. Whether a transaction is open
    /// is asked once it matters.
    async fn may_try_again<C: AnyConnection>(&self, conn: &mut C) -> bool {
        self.expected.is_none() && conn.depth().await.is_ok_and(|open| open == 0)
    }

    /// The key is looked up once the state is loaded. If it is not used by then, the state is one from before
    /// the first request, and the second one decides as that did, until it meets its key.
    async fn attempt<C: AnyConnection, E>(
        &self,
        conn: &mut C,
        stream: &StreamId,
        known: &mut Known<A>,
        decide: &mut impl FnMut(&A) -> Result<Vec<A::Event>, E>,
    ) -> Result<Executed<A>, ExecuteError<E>> {
        let loaded = match known.take() {
            None => self.read_to_decide(conn, stream).await?,
            Some((loaded, end)) => read_on(conn, stream, loaded).await?.at_least(end),
        };
        if let Some(executed) = self.executed_before(conn, stream).await? {
            return Ok(executed);
        }
        self.check_expected(stream, loaded.version)?;
        let events = match decide(&loaded.state) {
            Ok(events) if !events.is_empty() => events,
            outcome => {
                let loaded = at_its_end(conn, stream, loaded).await?;
                outcome.map_err(ExecuteError::Rejected)?;
                return Ok(Executed::nothing(loaded));
            }
        };
        let decided = Decided::new(&events, stream, loaded.version, &self.envelope)?;
        self.append(conn, stream, loaded, decided, known).await
    }

    async fn append<C: AnyConnection, E>(
        &self,
        conn: &mut C,
        stream: &StreamId,
        loaded: Loaded<A>,
        decided: Decided<A::Event>,
        known: &mut Known<A>,
    ) -> Result<Executed<A>, ExecuteError<E>> {
        let (version, events, key) = (loaded.version, decided.new_events(), self.key.as_deref());
        match conn.append(self.store, Decision { stream, version, events, key }).await {
            Ok(Some(recorded)) => {
                let executed = decided.executed(loaded, recorded);
                keep(conn, stream, version, &executed, self.store.max_json_bytes).await?;
                Ok(executed)
            }
            Ok(None) => self.executed_before(conn, stream).await?.ok_or_else(|| key_deleted().into()),
            Err(error) => {
                let end = error.conflict().map_or(version, |conflict| conflict.actual);
                *known = Some((loaded, end));
                Err(error.into())
            }
        }
    }

    /// What came of the request the first time, if its key is used.
    async fn executed_before<C: AnyConnection, E>(
        &self,
        conn: &mut C,
        stream: &StreamId,
    ) -> Result<Option<Executed<A>>, ExecuteError<E>> {
        let Some(key) = &self.key else { return Ok(None) };
        let Some(events) = conn.repeated(stream, key).await? else { return Ok(None) };
        let end = events.last().map_or(0, RecordedEvent::version);
        let loaded = up_to(conn, stream, end).await?;
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

/// Nothing is appended, which would tell where a stream ends that has no events any more.
async fn at_its_end<A: Aggregate, C: AnyConnection>(
    conn: &mut C,
    stream: &StreamId,
    loaded: Loaded<A>,
) -> Result<Loaded<A>, LoadError> {
    if loaded.version > 0 {
        return Ok(loaded);
    }
    let seen = conn.look(stream, Look::at_all(None)).await?;
    seen.refuse_archived(stream)?;
    // What was appended in between is not in the state.
    Ok(if seen.events.is_empty() { loaded.at_least(seen.end) } else { loaded })
}

/// Between two looks. The next attempt finds it free.
fn key_deleted() -> diesel::result::Error {
    Refused::error(DatabaseErrorKind::Deadlock, "the idempotency key was deleted a moment ago")
}
