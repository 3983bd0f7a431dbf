use std::time::{Duration, Instant};

use super::lease::Lease;
use super::stop::{Rollback, Stop};
use super::turns::{Turn, Turns};
use crate::projection::link::{IsAsked, Link};
use crate::storage::{sharing, waiting};

/// How long a partition waits for its turn before it looks whether it is to stop.
const LONGEST_WAIT: Duration = Duration::from_millis(100);

/// How a partition takes turns with the others of its worker.
pub(super) struct InTurn<'p> {
    turns: &'p Turns,
    is_asked: &'p IsAsked<'p>,
    /// Kept from step to step, and from page to page as long as nothing has to be waited for.
    turn: Option<Turn<'p>>,
}

impl<'p> InTurn<'p> {
    pub(super) fn new(turns: &'p Turns, is_asked: &'p IsAsked<'p>) -> Self {
        Self { turns, is_asked, turn: None }
    }

    /// Whether the caller has asked to stop.
    pub(super) fn is_asked(&self) -> &'p IsAsked<'p> {
        self.is_asked
    }

    /// An error, if it has.
    pub(super) fn go_on(&self) -> Result<(), Stop> {
        if (self.is_asked)() { Err(Stop::Asked) } else { Ok(()) }
    }

    /// Waits for a turn, if there are turns, and keeps the lease meanwhile.
    pub(super) async fn take<L: Link>(&mut self, conn: &mut L, lease: &mut Lease) -> Result<Turn<'p>, Stop> {
        if let Some(turn) = self.turn.take().filter(Turn::goes_on) {
            return Ok(turn);
        }
        let place = self.turns.queue();
        sharing::give_way().await;
        loop {
            if let Some(mut turn) = place.turn::<L>(LONGEST_WAIT.min(lease.longest_pause())).await {
                self.leave_room(conn, lease, &mut turn).await?;
                return Ok(turn);
            }
            self.go_on()?;
            lease.renew_when_due(conn).await?;
        }
    }

    /// Lets others write who are not in the queue, and keeps the lease meanwhile.
    async fn leave_room<L: Link>(
        &self,
        conn: &mut L,
        lease: &mut Lease,
        turn: &mut Turn<'p>,
    ) -> Result<(), Stop> {
        let Some(others) = turn.is_room_due_to() else { return Ok(()) };
        let end = Instant::now() + waiting::LONGEST_SLEEP;
        loop {
            let seen = waiting::bell().count();
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || !others.may_be_there() {
                turn.has_left_room_to(others);
                return Ok(());
            }
            L::wait(waiting::bell(), seen, left.min(lease.longest_pause())).await;
            self.go_on()?;
            lease.renew_when_due(conn).await?;
        }
    }

    /// The step has ended that began at this time.
    pub(super) fn after(&mut self, turn: Turn<'p>, begin: Instant, outcome: &Result<(), Rollback>) {
        self.turn = outcome.is_ok().then_some(turn);
        if matches!(outcome, Err(Rollback::Handler(error)) if error.is_collision()) {
            self.turns.note_collision(begin.elapsed());
        }
    }

    /// Other partitions may have a turn: this one waits.
    pub(super) fn end(&mut self) {
        self.turn = None;
    }
}
