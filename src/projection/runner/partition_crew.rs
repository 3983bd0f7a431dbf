use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use diesel::result::QueryResult;

use super::aside::Aside;
use super::asked::Asked;
use super::context::Context;
use super::follower::{Followed, follow};
use super::page_cache::PageCache;
use super::read_ahead::{ReadAhead, ReadsAhead};
use super::seen::Seen;
use crate::model::partition::{Partition, PartitionKey, State};
use crate::projection::apply::{Call, Calls, Turn, Turns};
use crate::projection::definition::Projection;
use crate::projection::error::ProjectionError;
use crate::projection::link::{Link, ProjectionOf};
use crate::projection::repartition;
use crate::projection::storable::storable;
use crate::storage::partitions::Partitions;
use crate::storage::transactions::Transactions;
use crate::storage::workers::{Sharing, Workers};
use crate::store::wake_up;

/// How long the manager waits for its turn before it looks whether a handler does not return.
const LONGEST_WAIT: Duration = Duration::from_millis(100);

/// A crew that can grow.
pub(in crate::projection) trait Recruits: ReadsAhead {
    type Member;
    /// Where the members are that share a thread.
    type Room: Default;

    /// A new member begins with its job, on a thread for itself or on that of the room, if threads do the work.
    fn recruit(
        room: &mut Self::Room,
        job: Job<Self>,
        has_own_thread: bool,
    ) -> Result<Self::Member, ProjectionError>;

    fn is_gone(member: &Self::Member) -> bool;

    /// Waits until it is gone, and goes on with its panic, if it has ended so.
    fn join(member: Self::Member) -> impl Future<Output = ()>;
}

/// To apply a partition.
pub(in crate::projection) struct Job<W: ReadsAhead> {
    context: Arc<Context<W>>,
    index: usize,
    seen: Seen,
    log: Arc<ReadAhead>,
    aside: Arc<Aside>,
    turns: Arc<Turns>,
    asked: Arc<Asked>,
    followed: Arc<OnceLock<Followed>>,
}

impl<W: ReadsAhead> Job<W> {
    pub(in crate::projection) fn projection(&self) -> &ProjectionOf<W::Link> {
        self.context.projection(self.index)
    }

    pub(in crate::projection) fn partition(&self) -> i32 {
        self.seen.partition.key.number
    }

    pub(in crate::projection) async fn run(self) {
        let Self { context, log, turns, asked, .. } = &self;
        let projection = context.projection(self.index);
        let followed = follow(context, projection, &self.seen, log, turns, asked).await;
        if followed == Followed::HandedOver {
            self.aside.step(projection.lease);
        }
        self.followed.get_or_init(|| followed);
        if matches!(followed, Followed::Applied | Followed::HandedOver) {
            context.signals.ended();
        }
    }
}

/// The members of a crew that apply one projection, one per partition.
pub(super) struct PartitionCrew<W: Recruits> {
    context: Arc<Context<W>>,
    index: usize,
    log: Arc<ReadAhead>,
    aside: Arc<Aside>,
    turns: Arc<Turns>,
    /// For how many partitions the log is read.
    read_for: i32,
    room: W::Room,
    members: Vec<AtWork<W::Member>>,
    /// When the partitions were shared last.
    shared: Sharing,
}

struct AtWork<M> {
    partition: i32,
    asked: Arc<Asked>,
    followed: Arc<OnceLock<Followed>>,
    member: M,
}

impl<M> AtWork<M> {
    fn has_failed(&self) -> bool {
        self.followed.get() == Some(&Followed::Failed)
    }

    fn was_interrupted(&self) -> bool {
        self.followed.get() == Some(&Followed::Interrupted)
    }
}

/// A member that has panicked never says so itself; one that says so may still have its thread.
fn has_ended<W: Recruits>(member: &AtWork<W::Member>) -> bool {
    member.followed.get().is_some() || W::is_gone(&member.member)
}

impl<W: Recruits> PartitionCrew<W> {
    pub(super) fn new(context: &Arc<Context<W>>, index: usize) -> Self {
        let log = Arc::new(ReadAhead::new(PageCache::new(context.projection(index), 1)));
        Self {
            context: Arc::clone(context),
            index,
            log,
            aside: Arc::default(),
            turns: Arc::default(),
            read_for: 1,
            room: W::Room::default(),
            members: Vec::new(),
            shared: Sharing::default(),
        }
    }

    fn projection(&self) -> &ProjectionOf<W::Link> {
        self.context.projection(self.index)
    }

    /// Whether there may be something to take or to give back: a partition is free, or was left by a member,
    /// or there are other workers than there were.
    pub(super) async fn is_to_be_adjusted(&self, conn: &mut W::Link) -> Result<bool, ProjectionError> {
        let was_interrupted = self.members.iter().any(AtWork::was_interrupted);
        let now = self.look(conn).await?;
        Ok(was_interrupted || now.free > 0 || now.workers != self.shared.workers)
    }

    /// What there is to do, in one statement for all partitions. The members are told of what operators have
    /// asked for, and whether the projection was put back.
    async fn look(&self, conn: &mut W::Link) -> Result<Sharing, ProjectionError> {
        let reached = self.reached();
        let now = conn.database().sharing(&self.projection().id).await?;
        if now.requests > 0 {
            self.members.iter().for_each(|member| member.asked.serve());
        }
        if now.furthest < reached {
            self.ask_to_look(|_| true);
        }
        Ok(now)
    }

    /// Where the member was at least that is furthest in the log.
    fn reached(&self) -> i64 {
        let at_work = self.members.iter().filter(|member| !has_ended::<W>(member));
        at_work.map(|member| member.asked.checkpoint()).max().unwrap_or(0)
    }

    /// Members that are idle would find out when they renew their leases.
    fn ask_to_look(&self, is_asked: impl Fn(&AtWork<W::Member>) -> bool) {
        let mut asked = self.members.iter().filter(|member| is_asked(member)).peekable();
        if asked.peek().is_some() {
            asked.for_each(|member| member.asked.look());
            wake_up::all();
        }
    }

    /// Partitions that could not be applied are tried again.
    pub(super) fn forget_failures(&mut self) {
        self.members.retain(|member| !member.has_failed());
    }

    /// Reports the handlers that do not return. The database is asked for nothing: they may hold it up.
    pub(super) fn watch(&self) {
        let hanging = self.hanging();
        let keys = hanging.iter().map(|(number, ..)| self.key(*number)).collect();
        self.context.health.set_hanging(&self.projection().id, keys);
        let news = hanging.iter().filter(|(_, calls, call)| !call.is_told && calls.tell(call));
        for (number, _, call) in news {
            self.context.record_failure(self.has_not_returned(*number, call));
        }
    }

    /// The numbers of the partitions whose handlers do not return.
    fn hanging(&self) -> Vec<(i32, Arc<Calls>, Call)> {
        let hanging = self.members.iter().filter_map(|member| {
            let calls = member.asked.calls();
            calls.overdue().map(|call| (member.partition, Arc::clone(calls), call))
        });
        hanging.collect()
    }

    fn key(&self, number: i32) -> PartitionKey {
        PartitionKey { projection: self.projection().id.clone(), number }
    }

    fn has_not_returned(&self, partition: i32, call: &Call) -> ProjectionError {
        let Projection { id, lease, .. } = self.projection();
        let (projection, lease, position, since) = (id.clone(), *lease, call.position, call.began_at);
        ProjectionError::HasNotReturned { projection, partition, position, since, lease }
    }

    /// Writes down what was reported of them, which they cannot.
    async fn note_hanging(&self, conn: &mut W::Link, partitions: &[Partition]) -> QueryResult<()> {
        for (number, calls, call) in self.hanging().into_iter().filter(|(.., call)| call.is_told) {
            let row = partitions.iter().find(|row| row.key.number == number && row.token == call.token);
            let Some(row) = row else { continue };
            let claim = row.clone().claimed(self.projection().lease);
            let error = storable(&self.has_not_returned(number, &call).to_string());
            conn.database().note_failure(&claim, &error).await?;
            if calls.has_returned(&call) {
                conn.database().forget_failure(&claim).await?;
            }
        }
        Ok(())
    }

    /// Takes as many partitions as are this worker's share, and gives back what is more.
    pub(super) async fn adjust(&mut self, conn: &mut W::Link) -> Result<(), ProjectionError> {
        self.members.retain(|member| !has_ended::<W>(member) || member.has_failed());
        if self.aside.is_aside() {
            return self.stand_aside(conn).await;
        }
        let has_one_writer = conn.database().has_one_writer().await;
        self.report(conn, has_one_writer).await?;
        self.shared = self.look(conn).await?;
        let since = Instant::now();
        let mut partitions = repartition::current(&mut conn.database(), self.projection()).await?;
        // What was read of the log before the rows were is not used: it may have been erased before they were
        // put back.
        let seen_at = Instant::now();
        self.ask_to_look(|member| self.was_taken_from(member, &partitions));
        self.give_back_left(conn, &mut partitions).await?;
        self.note_hanging(conn, &partitions).await?;
        self.context.see(self.projection(), &partitions, since);
        let share = self.share(conn, partitions.len()).await?;
        self.read_for(partitions.len());
        self.dismiss_above(share);
        if has_one_writer {
            self.turns.always();
        }
        // What members have given back because they are to stop is for others.
        if !self.context.signals.is_to_stop() {
            self.recruit_up_to(share, partitions, seen_at, !has_one_writer);
        }
        Ok(())
    }

    /// Says that this worker is there. Where one at a time can write, it waits in order for that, as the members
    /// do: the database might not let it write as long as they are busy.
    async fn report(&self, conn: &mut W::Link, has_one_writer: bool) -> QueryResult<()> {
        let _turn = if has_one_writer { self.turn().await } else { None };
        // A worker that dies is forgotten before its leases run out: they are renewed every third, too.
        let seen = self.projection().lease / 3 * 2;
        conn.database().report_worker(&self.projection().id, &self.context.worker, seen).await
    }

    /// Not for a handler that does not return.
    async fn turn(&self) -> Option<Turn<'_>> {
        let place = self.turns.queue();
        while self.hanging().is_empty() {
            if let Some(turn) = place.turn::<W::Link>(LONGEST_WAIT).await {
                return Some(turn);
            }
        }
        None
    }

    fn dismiss_above(&self, share: usize) {
        if self.members.len() > share {
            self.members[share..].iter().for_each(|member| member.asked.stop());
            wake_up::all();
        }
    }

    /// Whether the partition is not leased to this worker any more, or not yet.
    fn was_taken_from(&self, member: &AtWork<W::Member>, partitions: &[Partition]) -> bool {
        let row = partitions.iter().find(|partition| partition.key.number == member.partition);
        row.is_none_or(|row| row.owner.as_deref() != Some(&*self.context.worker))
    }

    fn recruit_up_to(
        &mut self,
        share: usize,
        partitions: Vec<Partition>,
        seen_at: Instant,
        has_own_thread: bool,
    ) {
        let free: Vec<Partition> =
            partitions.into_iter().filter(|partition| self.is_free(partition)).collect();
        let more = share.saturating_sub(self.members.len());
        for partition in free.into_iter().take(more) {
            if let Err(error) = self.start(Seen { partition, at: seen_at }, has_own_thread) {
                self.context.record_failure(error);
            }
        }
    }

    /// Other workers share all partitions among themselves.
    async fn stand_aside(&mut self, conn: &mut W::Link) -> Result<(), ProjectionError> {
        self.dismiss_above(0);
        self.leave(conn).await?;
        self.shared = self.look(conn).await?;
        let since = Instant::now();
        let mut partitions = conn.database().partitions(&self.projection().id).await?;
        self.give_back_left(conn, &mut partitions).await?;
        self.context.see(self.projection(), &partitions, since);
        Ok(())
    }

    /// Gives back what this worker has a lease of and no member applies, instead of letting the lease run
    /// out.
    async fn give_back_left(&self, conn: &mut W::Link, partitions: &mut [Partition]) -> QueryResult<()> {
        let is_left = |partition: &&mut Partition| {
            partition.owner.as_deref() == Some(&*self.context.worker) && !self.is_applied(partition)
        };
        for partition in partitions.iter_mut().filter(is_left) {
            conn.database().release(&partition.clone().claimed(Duration::ZERO)).await?;
            partition.owner = None;
        }
        Ok(())
    }

    fn is_applied(&self, partition: &Partition) -> bool {
        self.members.iter().any(|member| member.partition == partition.key.number)
    }

    /// Every worker has the same share; the first ones take what is left over.
    async fn share(&self, conn: &mut W::Link, partitions: usize) -> Result<usize, ProjectionError> {
        let workers = conn.database().workers(&self.projection().id).await?;
        let rank = workers.iter().position(|worker| *worker == self.context.worker);
        let Some(rank) = rank else { return Ok(0) };
        Ok(partitions / workers.len() + usize::from(rank < partitions % workers.len()))
    }

    fn is_free(&self, partition: &Partition) -> bool {
        partition.state == State::Active
            && partition.owner.is_none()
            && partition.barrier.is_none_or(|barrier| partition.position < barrier.position)
            && !self.is_applied(partition)
    }

    fn read_for(&mut self, partitions: usize) {
        let partitions = i32::try_from(partitions).unwrap_or(i32::MAX);
        if partitions != self.read_for {
            self.log = Arc::new(ReadAhead::new(PageCache::new(self.projection(), partitions)));
            self.read_for = partitions;
        }
    }

    fn start(&mut self, seen: Seen, has_own_thread: bool) -> Result<(), ProjectionError> {
        let (asked, followed) = (Arc::<Asked>::default(), Arc::new(OnceLock::new()));
        let number = seen.partition.key.number;
        let job = Job {
            context: Arc::clone(&self.context),
            index: self.index,
            seen,
            log: Arc::clone(&self.log),
            aside: Arc::clone(&self.aside),
            turns: Arc::clone(&self.turns),
            asked: Arc::clone(&asked),
            followed: Arc::clone(&followed),
        };
        let member = W::recruit(&mut self.room, job, has_own_thread)?;
        self.members.push(AtWork { partition: number, asked, followed, member });
        Ok(())
    }

    /// Waits until all are gone. Whether one of them may have left its partition leased.
    pub(super) async fn join(&mut self) -> bool {
        let mut has_left = false;
        for at_work in self.members.drain(..) {
            W::join(at_work.member).await;
            has_left |= at_work.followed.get() == Some(&Followed::Interrupted);
        }
        has_left
    }

    /// Once all are gone.
    pub(super) async fn give_back_all(&self, conn: &mut W::Link) -> QueryResult<()> {
        let mut partitions = conn.database().partitions(&self.projection().id).await?;
        self.give_back_left(conn, &mut partitions).await
    }

    /// Says that this worker does not run the projection any more.
    pub(super) async fn leave(&self, conn: &mut W::Link) -> QueryResult<()> {
        conn.database().forget_worker(&self.projection().id, &self.context.worker).await
    }
}
