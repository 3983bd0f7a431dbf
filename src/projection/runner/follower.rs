//! What a member of the crew does: it follows the log, and applies it to a partition.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::asked::Asked;
use super::context::Context;
use super::crew::Crew;
use super::pace::{LONGEST_RECONNECT_PAUSE, Pace};
use super::page_cache::{Ask, End, Found};
use super::patience::Patience;
use super::read_ahead::{ReadAhead, ReadsAhead};
use super::seen::Seen;
use super::stopping::Stopping;
use crate::observe;
use crate::projection::apply::{Applier, Stop, Turns};
use crate::projection::error::ProjectionError;
use crate::projection::link::{IsAsked, ProjectionOf, pause};
use crate::projection::page::Page;
use crate::projection::progress::Progress;
use crate::storage::error_kind::DatabaseErrorKind;
use crate::store::wake_up;

/// Applies a partition until it is asked to stop, has failed, or another worker has it.
pub(super) async fn follow<W: ReadsAhead>(
    context: &Arc<Context<W>>,
    projection: &ProjectionOf<W::Link>,
    seen: &Seen,
    log: &ReadAhead,
    turns: &Turns,
    asked: &Asked,
) -> Followed {
    // The manager may have to wait for this member before it can ask it.
    let is_asked = || asked.is_to_stop() || context.signals.is_to_stop();
    let follower = Follower { context, projection, log, turns, asked, is_asked: &is_asked };
    match follower.run(seen).await {
        Ok(followed) => followed,
        Err(error) => {
            let followed = match error {
                ProjectionError::HandedOver { .. } => Followed::HandedOver,
                // Nothing is wrong with the partition: it is taken again as soon as it is free.
                ProjectionError::LeaseLost { .. } => Followed::NotLeased,
                ProjectionError::Database(ref error) if error.is_retryable() => Followed::Interrupted,
                _ => Followed::Failed,
            };
            context.record_failure(error);
            followed
        }
    }
}

/// What has become of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Followed {
    /// It was applied, and given back.
    Applied,
    /// Another worker was faster, or has taken it over.
    NotLeased,
    /// The database was in the way when it was to be taken or given back, which may pass. The lease may be
    /// left.
    Interrupted,
    /// It is marked as failed, until somebody resumes it.
    Stopped,
    /// It could not be taken or given back.
    Failed,
    /// A worker of another release may be able to go on.
    HandedOver,
}

/// How long a connection may be waited for before that is trouble.
const LONGEST_USUAL_WAIT: Duration = Duration::from_secs(1);

/// An error that was reported.
struct Reported;

struct Follower<'f, W: Crew> {
    context: &'f Arc<Context<W>>,
    projection: &'f ProjectionOf<W::Link>,
    log: &'f ReadAhead,
    turns: &'f Turns,
    asked: &'f Asked,
    is_asked: &'f IsAsked<'f>,
}

impl<'f, W: ReadsAhead> Follower<'f, W> {
    async fn run(&self, seen: &Seen) -> Result<Followed, ProjectionError> {
        let mut retry = Pace::new(LONGEST_RECONNECT_PAUSE);
        let Some(mut conn) = self.first_connection(&mut retry).await else { return Ok(Followed::NotLeased) };
        let worker = &self.context.worker;
        let Seen { partition, at } = seen;
        let (projection, is_asked, calls) = (self.projection, self.is_asked, self.asked.calls());
        let lease = Applier::lease(&mut conn, projection, partition, worker, is_asked, self.turns, calls);
        let leased = lease.await;
        self.context.health.note_taking(&partition.key, leased.as_ref().is_err_and(is_refusal));
        let Some(mut applier) = leased? else { return Ok(Followed::NotLeased) };
        let mut since = if applier.follows(partition) { *at } else { Instant::now() };
        let mut patience = Patience::default();
        loop {
            let position = applier.position();
            let stop = self.apply_until_stopped(&mut conn, &mut applier, &mut patience, since).await;
            since = Instant::now();
            applier.end_turn();
            if applier.position() > position {
                retry.reset();
                patience.reset();
            }
            match stop {
                Stop::Asked => return Ok(applier.release(&mut conn).await.map(|()| Followed::Applied)?),
                Stop::Moved => {}
                Stop::PutBack => return Ok(Followed::Applied),
                Stop::Error(
                    error @ (ProjectionError::Database(_)
                    | ProjectionError::RunAgain { .. }
                    | ProjectionError::ConnectionLost { .. }),
                ) => {
                    if patience.is_over(&error) {
                        return self.stop(conn, applier, error).await;
                    }
                    conn = self.before_again(conn, &mut applier, error, &mut retry).await?;
                    since = Instant::now();
                }
                Stop::Error(error @ ProjectionError::HandedOver { .. }) => {
                    applier.release(&mut conn).await?;
                    return Err(error);
                }
                Stop::Error(error @ ProjectionError::LeaseLost { .. }) => {
                    let is_replaced = applier.is_replaced(&mut conn).await?;
                    return if is_replaced { Ok(Followed::Applied) } else { Err(error) };
                }
                Stop::Error(error) => return self.stop(conn, applier, error).await,
            }
        }
    }

    async fn stop(
        &self,
        conn: W::Link,
        applier: Applier<'f, W::Link>,
        error: ProjectionError,
    ) -> Result<Followed, ProjectionError> {
        let stopping = Stopping { context: self.context, applier, is_asked: self.is_asked, error };
        match stopping.stop(conn).await {
            lost @ ProjectionError::LeaseLost { .. } => Err(lost),
            error => {
                self.context.record_failure(error);
                Ok(Followed::Stopped)
            }
        }
    }

    /// Reports the error and pauses. The same is then tried again, with this connection or a new one.
    async fn before_again(
        &self,
        mut conn: W::Link,
        applier: &mut Applier<'f, W::Link>,
        error: ProjectionError,
        retry: &mut Pace,
    ) -> Result<W::Link, ProjectionError> {
        let (text, is_usable) = (error.to_string(), is_connection_usable(&error));
        self.context.record_failure(error);
        if !is_usable {
            drop(conn);
            conn = self.reconnect(retry).await?;
        }
        // If this fails, the next attempt will, too, and is reported.
        let _ = applier.note_failure(&mut conn, &text).await;
        if is_usable {
            // Who sleeps cannot renew the lease.
            self.pause(retry.next().min(self.projection.lease / 3)).await;
        }
        Ok(conn)
    }

    /// `false` as soon as this member is to stop.
    async fn pause(&self, longest: Duration) -> bool {
        pause::<W::Link>(longest, self.is_asked).await
    }

    /// `None` if this member is to stop before it has one. A pool may have none for a long time.
    async fn first_connection(&self, retry: &mut Pace) -> Option<W::Link> {
        let _waiting = self.context.health.waiting(Instant::now() + LONGEST_USUAL_WAIT);
        if let Ok(connected) = self.connect().await {
            return connected;
        }
        let _failing = self.context.health.waiting(Instant::now());
        while self.pause(retry.next()).await {
            if let Ok(connected) = self.connect().await {
                return connected;
            }
        }
        None
    }

    /// The lease may still hold when the database is back, or must be given back.
    async fn reconnect(&self, retry: &mut Pace) -> Result<W::Link, ProjectionError> {
        let _waiting = self.context.health.waiting(Instant::now());
        while self.pause(retry.next()).await {
            if let Ok(Some(conn)) = self.connect().await {
                return Ok(conn);
            }
        }
        self.context.connect().await
    }

    /// `None` if this member is to stop. An error is reported.
    async fn connect(&self) -> Result<Option<W::Link>, Reported> {
        self.context.connect_unless(self.is_asked).await.map_err(|error| {
            self.context.record_failure(error);
            Reported
        })
    }

    /// Applies what there is, and waits for more. Nothing is used that was read of the log before `since`.
    async fn apply_until_stopped(
        &self,
        conn: &mut W::Link,
        applier: &mut Applier<'f, W::Link>,
        patience: &mut Patience,
        since: Instant,
    ) -> Stop {
        // Who sleeps cannot renew the lease.
        let longest_pause = self.context.options.longest_pause.min(self.projection.lease / 3);
        let mut pace = Pace::new(longest_pause);
        let mut last = None;
        if let Err(stop) = self.begin(conn, applier).await {
            return stop;
        }
        loop {
            let wake_ups = wake_up::count();
            self.asked.note_checkpoint(applier.checkpoint());
            if (self.is_asked)() || applier.is_at_barrier() {
                return applier.save(conn).await.err().unwrap_or(Stop::Asked);
            }
            let ask = Ask { after: applier.position(), since, wake_ups, last };
            let applied = self.serve_and_apply(conn, applier, &ask).await;
            if applied.is_ok() {
                patience.reset();
            }
            match applied {
                Err(stop) => return stop,
                Ok(None) => pace.reset(),
                Ok(Some(end)) => {
                    observe::projection::lag(applier.partition(), Duration::ZERO);
                    pace.wait::<W::Link>(ask.wake_ups, end.looked_at).await;
                    last = Some(end);
                }
            }
        }
    }

    async fn begin(&self, conn: &mut W::Link, applier: &mut Applier<'f, W::Link>) -> Result<(), Stop> {
        applier.look(conn).await?;
        applier.begin(conn).await
    }

    async fn serve_and_apply(
        &self,
        conn: &mut W::Link,
        applier: &mut Applier<'f, W::Link>,
        ask: &Ask,
    ) -> Result<Option<End>, Stop> {
        if self.asked.take_look() {
            applier.look(conn).await?;
        }
        if self.asked.take_request() {
            applier.serve_requests(conn).await?;
        }
        self.apply_page(conn, applier, ask).await
    }

    /// The end of the log, if there was nothing new.
    async fn apply_page(
        &self,
        conn: &mut W::Link,
        applier: &mut Applier<'f, W::Link>,
        ask: &Ask,
    ) -> Result<Option<End>, Stop> {
        let (begin, applied) = (Instant::now(), applier.applied());
        if !self.log.has_page(ask) {
            applier.end_turn();
        }
        let page = match self.log.read(self.context, conn, ask).await? {
            Found::Page(page) => page,
            Found::End(end) => return applier.apply(conn, &Page::empty(ask.after)).await.map(|()| Some(end)),
        };
        applier.apply(conn, &page).await?;
        let took = begin.elapsed();
        self.context.report_progress(|| {
            // What the application does with it may take long.
            applier.end_turn();
            Progress {
                projection: self.projection.id.clone(),
                partition: applier.partition().number,
                position: applier.position(),
                applied: applier.applied() - applied,
                took,
            }
        });
        Ok(None)
    }
}

/// Whether the database will say so again.
fn is_refusal(error: &ProjectionError) -> bool {
    matches!(error, ProjectionError::Database(error) if !error.is_retryable())
}

/// After an error of the database that is not known to pass, a new connection may do better.
fn is_connection_usable(error: &ProjectionError) -> bool {
    match error {
        ProjectionError::Database(error) => {
            error.is_retryable() && error.kind() != DatabaseErrorKind::ConnectionLost
        }
        ProjectionError::ConnectionLost { .. } => false,
        _ => true,
    }
}
