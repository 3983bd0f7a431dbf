use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::projection::link::Link;
use crate::store::bell::Bell;

/// How long partitions take turns, relative to the time that one of them has lost.
const TIMES: u32 = 20;

/// For so long a partition keeps its turn: more than one batch, as to wake another one takes time.
const LONGEST_TURN: Duration = Duration::from_millis(50);

/// However often they have collided.
const LONGEST: Duration = Duration::from_secs(10 * 60);

/// The partitions of a projection that this worker applies, after two of them have waited for each other's
/// rows. PostgreSQL lets them wait for a second before it ends one of them, and many batches would lose as
/// much. So they take turns for a while: no two of them are in a transaction at the same time.
#[derive(Default)]
pub(in crate::projection) struct Turns {
    now: Mutex<Now>,
    is_free: Bell,
}

#[derive(Default)]
struct Now {
    /// How long partitions take turns from now on. Only the time of their transactions counts, so that nothing
    /// has to be learned again after a pause.
    left: Duration,
    /// How long they took turns the last time.
    period: Duration,
    /// For how long they have been in transactions since then.
    since: Duration,
    is_taken: bool,
    waiting: usize,
}

impl Now {
    fn are_taken_in_turn(&self) -> bool {
        !self.left.is_zero()
    }

    /// Within as long again.
    fn have_just_ended(&self) -> bool {
        self.since < self.period
    }

    fn has_passed(&mut self, time: Duration) {
        if self.are_taken_in_turn() {
            self.left = self.left.saturating_sub(time);
        } else {
            self.since = self.since.saturating_add(time);
        }
    }
}

impl Turns {
    /// Waits for the turn, if there are any; `None` if it did not come within this time.
    pub(super) async fn take<L: Link>(&self, longest: Duration) -> Option<Turn<'_>> {
        let seen = self.is_free.count();
        if let Some(turn) = self.take_now(false) {
            return Some(turn);
        }
        let _waiting = Waiting::begin(self);
        L::wait(&self.is_free, seen, longest).await;
        self.take_now(true)
    }

    /// Those who have waited come first.
    fn take_now(&self, has_waited: bool) -> Option<Turn<'_>> {
        let mut now = self.now();
        let is_alone = now.are_taken_in_turn();
        let is_next = !is_alone || (has_waited || now.waiting == 0) && !now.is_taken;
        now.is_taken |= is_alone && is_next;
        // Not `then_some`: a turn that is made and dropped would wait for the lock that is held here.
        is_next.then(|| Turn { turns: self, is_alone, since: Instant::now() })
    }

    /// A batch was rolled back for another one's sake, after this time. If that happens again soon after the
    /// turns have ended, they last twice as long.
    pub(super) fn has_collided(&self, lost: Duration) {
        let mut now = self.now();
        if now.are_taken_in_turn() {
            return;
        }
        let at_least = if now.have_just_ended() { now.period * 2 } else { Duration::ZERO };
        now.period = lost.saturating_mul(TIMES).max(at_least).min(LONGEST);
        (now.left, now.since) = (now.period, Duration::ZERO);
    }

    /// It is whole between any two statements, so a panic elsewhere leaves it whole.
    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Waiting<'t>(&'t Turns);

impl<'t> Waiting<'t> {
    fn begin(turns: &'t Turns) -> Self {
        turns.now().waiting += 1;
        Self(turns)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.now().waiting -= 1;
    }
}

/// Until it is dropped, no other partition begins a batch, if they take turns.
pub(super) struct Turn<'t> {
    turns: &'t Turns,
    is_alone: bool,
    since: Instant,
}

impl Turn<'_> {
    /// Whether another batch may follow before the others have theirs.
    pub(super) fn goes_on(&self) -> bool {
        self.is_alone && self.since.elapsed() < LONGEST_TURN
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut now = self.turns.now();
        now.has_passed(self.since.elapsed());
        if self.is_alone {
            now.is_taken = false;
            drop(now);
            self.turns.is_free.ring();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{TIMES, Turns};

    /// Far longer than the tests take.
    const LOST: Duration = Duration::from_secs(10);
    const PERIOD: Duration = LOST.saturating_mul(TIMES);

    impl Turns {
        fn have_worked_for(&self, time: Duration) {
            self.now().has_passed(time);
        }

        fn are_taken(&self) -> bool {
            let first = self.take_now(false);
            first.is_some() && self.take_now(false).is_none()
        }
    }

    #[test]
    fn after_a_collision_partitions_take_turns_until_they_have_worked_for_long_enough() {
        let turns = Turns::default();
        assert!(!turns.are_taken());
        turns.has_collided(LOST);
        assert!(turns.are_taken());
        turns.have_worked_for(PERIOD / 2);
        assert!(turns.are_taken());
        turns.have_worked_for(PERIOD / 2);
        assert!(!turns.are_taken());
    }

    #[test]
    fn they_last_twice_as_long_if_there_is_a_collision_soon_after() {
        let turns = Turns::default();
        turns.has_collided(LOST);
        turns.have_worked_for(PERIOD);
        turns.have_worked_for(PERIOD / 2);
        turns.has_collided(LOST);
        turns.have_worked_for(PERIOD);
        assert!(turns.are_taken());
    }

    #[test]
    fn they_last_no_longer_if_the_collision_comes_late() {
        let turns = Turns::default();
        turns.has_collided(LOST);
        turns.have_worked_for(PERIOD);
        turns.have_worked_for(PERIOD);
        turns.has_collided(LOST);
        turns.have_worked_for(PERIOD);
        assert!(!turns.are_taken());
    }
}
