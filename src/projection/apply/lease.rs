use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use diesel::result::QueryResult;

use super::calls::{Call, Calls};
use super::stop::Stop;
use crate::model::event::RecordedEvent;
use crate::model::partition::{Barrier, Claim, Partition, PartitionKey, State, partition_of};
use crate::model::position::Position;
use crate::model::projection_id::ProjectionId;
use crate::model::stream_id::StreamId;
use crate::model::witness::Witness;
use crate::projection::activity::refuse_inactive;
use crate::projection::error::ProjectionError;
use crate::projection::link::{IsAsked, Link, pause};
use crate::projection::page::Page;
use crate::projection::storable::storable;
use crate::storage::partitions::{Partitions, Step};
use crate::storage::places::Places;
use crate::storage::read::Read;
use crate::storage::transactions::Transactions;

/// A worker's lease of a partition: what it knows of the partition's row, and how far it has come.
pub(super) struct Lease {
    claim: Claim,
    calls: Arc<Calls>,
    count: i32,
    /// The last event that was applied under an earlier lease.
    witness: Option<Witness>,
    barrier: Option<Barrier>,
    /// Since when the partition's row says that it does not move on.
    failing: Option<FailingSince>,
    /// Nothing up to here is left to be applied. The checkpoint follows when there is something to write, or
    /// in a while.
    scanned_to: Position,
    saved_at: Instant,
    renewed_at: Instant,
}

/// By the database's clock when the partition was taken, by this machine's since then.
struct FailingSince {
    before: Duration,
    seen: Instant,
}

impl FailingSince {
    fn before_now(before: Duration) -> Self {
        Self { before, seen: Instant::now() }
    }

    fn elapsed(&self) -> Duration {
        self.before + self.seen.elapsed()
    }
}

/// Taking and keeping it.
impl Lease {
    /// Takes the partition; `None` if another worker has it.
    pub(super) async fn take<L: Link>(
        conn: &mut L,
        partition: &Partition,
        owner: &str,
        duration: Duration,
        calls: &Arc<Calls>,
    ) -> Result<Option<Self>, ProjectionError> {
        refuse_inactive(partition)?;
        conn.database().refuse_foreign().await?;
        if !conn.database().claim(&partition.key, owner, duration).await? {
            return Ok(None);
        }
        let row = conn.database().partition(&partition.key).await?;
        let row = row.filter(|row| row.owner.as_deref() == Some(owner));
        Ok(row.map(|row| Self::of(row, duration, Arc::clone(calls))))
    }

    fn of(row: Partition, duration: Duration, calls: Arc<Calls>) -> Self {
        let (count, witness, barrier) = (row.count, row.witness, row.barrier);
        let failing = row.failing.map(|failing| FailingSince::before_now(failing.lasts));
        let claim = row.claimed(duration);
        let now = Instant::now();
        let scanned_to = claim.position;
        Self { claim, calls, count, witness, barrier, failing, scanned_to, saved_at: now, renewed_at: now }
    }

    /// Gives the partition back.
    pub(super) async fn release<L: Link>(&self, conn: &mut L) -> QueryResult<()> {
        conn.database().release(&self.claim).await.map(drop)
    }

    /// Writes down why the partition does not move on.
    pub(super) async fn note_failure<L: Link>(&mut self, conn: &mut L, error: &str) -> QueryResult<()> {
        if conn.database().note_failure(&self.claim, &storable(error)).await? {
            self.is_failing();
        }
        Ok(())
    }

    /// The partition's row says that it does not move on.
    pub(super) fn is_failing(&mut self) {
        self.failing.get_or_insert_with(|| FailingSince::before_now(Duration::ZERO));
    }

    /// How long the partition has not moved on, under whichever worker.
    pub(super) fn failing_for(&self) -> Duration {
        self.failing.as_ref().map_or(Duration::ZERO, FailingSince::elapsed)
    }

    /// It moves on.
    pub(super) async fn forget_failure<L: Link>(&mut self, conn: &mut L) -> QueryResult<()> {
        if self.failing.is_some() {
            conn.database().forget_failure(&self.claim).await?;
            self.failing = None;
        }
        Ok(())
    }

    /// Marks the partition as failed.
    pub(super) async fn fail<L: Link>(&self, conn: &mut L, error: &ProjectionError) -> QueryResult<bool> {
        conn.database().fail(&self.claim, &storable(&error.to_string())).await
    }

    /// Well before it runs out.
    pub(super) async fn renew_when_due<L: Link>(&mut self, conn: &mut L) -> Result<(), Stop> {
        if self.renewed_at.elapsed() < self.longest_pause() {
            return Ok(());
        }
        let is_mine = conn.database().renew(&self.claim).await?;
        if is_mine {
            self.renewed_at = Instant::now();
        }
        self.look(conn).await?;
        if is_mine { Ok(()) } else { Err(self.lost()) }
    }

    /// Who sleeps for longer could not renew it in time.
    pub(super) fn longest_pause(&self) -> Duration {
        self.claim.lease / 3
    }

    /// Pauses, and keeps the lease meanwhile.
    pub(super) async fn wait<L: Link>(
        &mut self,
        conn: &mut L,
        is_asked: &IsAsked<'_>,
        duration: Duration,
    ) -> Result<(), Stop> {
        let mut left = duration;
        while !left.is_zero() {
            let part = left.min(self.longest_pause());
            if !pause::<L>(part, is_asked).await {
                return Err(Stop::Asked);
            }
            left -= part;
            self.renew_when_due(conn).await?;
        }
        Ok(())
    }

    /// Looks at the partition's row: a barrier may have been raised, the partition may have been put back, or
    /// a commit may have gone through whose answer was lost. If it is at another position, what is known of
    /// the log and of parked events does not hold any more.
    pub(super) async fn look<L: Link>(&mut self, conn: &mut L) -> Result<(), Stop> {
        let row = conn.database().partition(&self.claim.partition).await?;
        let row = row.filter(|row| row.state == State::Active).ok_or_else(|| self.lost())?;
        if row.token != self.claim.token {
            // Before the lease has run out no other worker can have had it.
            let is_put_back = row.owner.is_none() && self.renewed_at.elapsed() < self.claim.lease;
            return Err(if is_put_back { Stop::PutBack } else { self.lost() });
        }
        (self.barrier, self.witness) = (row.barrier, row.witness);
        if row.position != self.claim.position {
            (self.claim.position, self.scanned_to) = (row.position, row.position);
            return Err(Stop::Moved);
        }
        // What was only passed over may lie beyond the barrier; the checkpoint cannot follow it there.
        self.scanned_to = self.up_to_barrier(self.scanned_to);
        Ok(())
    }

    /// Whether nobody has put the partition elsewhere or had it since it was seen so.
    pub(super) fn follows(&self, seen: &Partition) -> bool {
        (self.claim.token, self.claim.position) == (seen.token + 1, seen.position)
    }

    /// Whether the partition does not exist any more because the number of partitions was changed. Then no
    /// other worker has taken it.
    pub(super) async fn is_replaced<L: Link>(&self, conn: &mut L) -> QueryResult<bool> {
        let row = conn.database().partition(&self.claim.partition).await?;
        Ok(row.is_none_or(|row| row.count != self.count))
    }

    fn lost(&self) -> Stop {
        self.lost_error().into()
    }

    /// Says that it is lost.
    pub(super) fn lost_error(&self) -> ProjectionError {
        let PartitionKey { projection, number: partition } = self.claim.partition.clone();
        let (lease, since_renewed) = (self.claim.lease, self.renewed_at.elapsed());
        ProjectionError::LeaseLost { projection, partition, lease, since_renewed }
    }
}

/// The handler's calls under it.
impl Lease {
    pub(super) fn calls(&self) -> Arc<Calls> {
        Arc::clone(&self.calls)
    }

    /// With events from this position on.
    pub(super) fn call(&self, position: Position) -> Call {
        Call {
            position,
            began_at: Utc::now(),
            token: self.claim.token,
            runs_out_at: self.renewed_at + self.claim.lease,
            is_told: false,
        }
    }
}

/// How far the partition is.
impl Lease {
    /// Up to here, nothing is left to be applied.
    pub(super) fn position(&self) -> Position {
        self.scanned_to
    }

    /// Where the row says that it is.
    pub(super) fn checkpoint(&self) -> Position {
        self.claim.position
    }

    pub(super) fn is_saved(&self) -> bool {
        self.scanned_to <= self.claim.position
    }

    pub(super) fn was_saved_within(&self, duration: Duration) -> bool {
        self.saved_at.elapsed() < duration
    }

    /// There was nothing to apply up to there.
    pub(super) fn note_scanned(&mut self, to: Position) {
        self.scanned_to = self.scanned_to.max(to);
    }

    /// Moves the checkpoint within the transaction that is open. Whether it could be moved.
    pub(super) async fn advance<L: Link>(&self, conn: &mut L, step: &Step) -> QueryResult<bool> {
        conn.database().advance(&self.claim, step).await
    }

    /// Why it could not be moved, once the transaction is rolled back. No error: the row is as it was known.
    pub(super) async fn look_what_was_in_the_way<L: Link>(&mut self, conn: &mut L) -> Result<(), Stop> {
        let barrier = self.barrier;
        match self.look(conn).await {
            // What the handler has done is rolled back.
            Err(Stop::PutBack) => Err(self.lost()),
            Ok(()) if self.barrier != barrier => Err(Stop::Moved),
            outcome => outcome,
        }
    }

    /// The transaction that has moved the checkpoint is committed.
    pub(super) fn note_advanced(&mut self, to: Position) {
        self.claim.position = to;
        self.note_scanned(to);
        (self.saved_at, self.renewed_at) = (Instant::now(), Instant::now());
    }

    /// Nothing above the barrier can be applied until the number of partitions has been changed.
    pub(super) fn is_at_barrier(&self) -> bool {
        self.barrier.is_some_and(|barrier| self.scanned_to >= barrier.position)
    }

    pub(super) fn up_to_barrier(&self, position: Position) -> Position {
        self.barrier.map_or(position, |barrier| barrier.position.min(position))
    }

    /// Whether it is the log that was applied: it has assigned the positions up to the checkpoint, and has no
    /// other event where the last one was applied. Events that are not there any more were erased or
    /// archived.
    pub(super) async fn check_log<L: Link>(&self, conn: &mut L) -> Result<(), ProjectionError> {
        let checkpoint = self.claim.position;
        if checkpoint <= conn.database().last_assigned_position().await?
            && !self.is_contradicted(conn).await?
        {
            return Ok(());
        }
        let last = conn.database().last_committed_position().await?;
        Err(ProjectionError::OtherLog { projection: self.projection().clone(), checkpoint, last })
    }

    async fn is_contradicted<L: Link>(&self, conn: &mut L) -> QueryResult<bool> {
        let Some(witness) = self.witness else { return Ok(false) };
        let found = conn.database().event_id_at(witness.position).await?;
        Ok(found.is_some_and(|found| found != witness.event_id))
    }
}

/// Which partition it is of.
impl Lease {
    pub(super) fn partition(&self) -> &PartitionKey {
        &self.claim.partition
    }

    pub(super) fn projection(&self) -> &ProjectionId {
        &self.claim.partition.projection
    }

    pub(super) fn is_mine(&self, stream: &StreamId) -> bool {
        partition_of(stream, self.count) == self.claim.partition.number
    }

    /// The events of this partition.
    pub(super) fn mine<'p>(&self, page: &'p Page) -> Cow<'p, [RecordedEvent]> {
        page.of_partition(self.claim.partition.number, self.count)
    }

    /// Those after its position, and up to the end.
    pub(super) fn left_of<'e>(&self, events: &'e [RecordedEvent], end: Position) -> &'e [RecordedEvent] {
        let from = events.partition_point(|event| event.position() <= self.scanned_to);
        let to = events.partition_point(|event| event.position() <= end);
        &events[from.min(to)..to]
    }
}
