use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::room::{Others, Room};
use crate::projection::link::Link;
use crate::storage::bell::Bell;

/// How long partitions take turns, relative to the time that one of them has lost.
const TIMES: u32 = 20;

/// For so long a partition keeps its turn: more than one batch, as to wake another one takes time.
const LONGEST_TURN: Duration = Duration::from_millis(50);

/// However often they have collided.
const LONGEST: Duration = Duration::from_secs(10 * 60);

/// The partitions of a projection that this worker applies. They take turns, first come, first served, where
/// no two of them can be in a transaction at the same time anyway: then none gets so far ahead of the others
/// that they cannot share what it has read of the log. Elsewhere they do after two of them have waited for
/// each other's rows. PostgreSQL lets them wait for a second before it ends one of them, and many batches
/// would lose as much. So for a while no two of them are in a transaction at the same time.
#[derive(Default)]
pub(in crate::projection) struct Turns {
    now: Mutex<Now>,
}

#[derive(Default)]
struct Now {
    are_always_taken: bool,
    /// How long partitions take turns from now on. Only the time of their transactions counts, so that nothing
    /// has to be learned again after a pause.
    left: Duration,
    /// How long they took turns the last time.
    period: Duration,
    /// For how long they have been in transactions since then.
    since: Duration,
    is_taken: bool,
    room: Room,
    /// Those who wait, each at a bell of its own.
    queue: VecDeque<Arc<Bell>>,
}

impl Now {
    fn are_taken_in_turn(&self) -> bool {
        self.are_always_taken || !self.left.is_zero()
    }

    /// Within as long again.
    fn have_just_ended(&self) -> bool {
        self.since < self.period
    }

    fn count_time(&mut self, time: Duration) {
        if self.left.is_zero() {
            self.since = self.since.saturating_add(time);
        } else {
            self.left = self.left.saturating_sub(time);
        }
    }

    /// Whoever can have a turn now, and may be asleep.
    fn call(&self) {
        if !self.are_taken_in_turn() {
            self.queue.iter().for_each(|bell| bell.ring());
        } else if let (Some(first), false) = (self.queue.front(), self.is_taken) {
            first.ring();
        }
    }
}

impl Turns {
    /// From now on they are taken, whether partitions collide or not.
    pub(in crate::projection) fn always(&self) {
        self.now().are_always_taken = true;
    }

    /// The last place in the queue.
    pub(in crate::projection) fn queue(&self) -> Place<'_> {
        let bell = Arc::<Bell>::default();
        self.now().queue.push_back(Arc::clone(&bell));
        Place { turns: self, bell }
    }

    /// A batch was rolled back for another one's sake, after this time. If that happens again soon after the
    /// turns have ended, they last twice as long.
    pub(super) fn note_collision(&self, lost: Duration) {
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

/// Where a partition waits for its turn, until it is dropped.
pub(in crate::projection) struct Place<'t> {
    turns: &'t Turns,
    bell: Arc<Bell>,
}

impl<'t> Place<'t> {
    /// The turn, if it comes within this time.
    pub(in crate::projection) async fn turn<L: Link>(&self, longest: Duration) -> Option<Turn<'t>> {
        let seen = self.bell.count();
        if let Some(turn) = self.turn_now() {
            return Some(turn);
        }
        L::wait(&self.bell, seen, longest).await;
        self.turn_now()
    }

    fn turn_now(&self) -> Option<Turn<'t>> {
        let mut now = self.turns.now();
        let is_alone = now.are_taken_in_turn();
        let is_first = || now.queue.front().is_some_and(|first| Arc::ptr_eq(first, &self.bell));
        if is_alone && (now.is_taken || !is_first()) {
            return None;
        }
        now.is_taken |= is_alone;
        Some(Turn { turns: self.turns, is_alone, since: Instant::now() })
    }
}

/// Who has a turn, or waits no longer, is not in the way of the next one.
impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut now = self.turns.now();
        now.queue.retain(|bell| !Arc::ptr_eq(bell, &self.bell));
        now.call();
    }
}

/// Until it is dropped, no other partition begins a batch, if they take turns.
pub(in crate::projection) struct Turn<'t> {
    turns: &'t Turns,
    is_alone: bool,
    since: Instant,
}

impl Turn<'_> {
    /// For whom room is to be left before the first batch, where turns are taken because only one can write at a
    /// time.
    pub(super) fn is_room_due_to(&self) -> Option<Others> {
        let now = self.turns.now();
        if now.are_always_taken { now.room.is_due_to() } else { None }
    }

    /// The first batch begins now.
    pub(super) fn has_left_room_to(&mut self, others: Others) {
        self.turns.now().room.was_left_to(others);
        self.since = Instant::now();
    }

    /// Whether another batch may follow before the others have theirs.
    pub(super) fn goes_on(&self) -> bool {
        self.is_alone && self.since.elapsed() < LONGEST_TURN
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut now = self.turns.now();
        now.count_time(self.since.elapsed());
        now.room.count(self.since, Instant::now());
        now.is_taken &= !self.is_alone;
        now.call();
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
            self.now().count_time(time);
        }

        fn are_taken(&self) -> bool {
            let first = self.queue().turn_now();
            first.is_some() && self.queue().turn_now().is_none()
        }
    }

    #[test]
    fn who_comes_first_has_the_first_turn() {
        let turns = Turns::default();
        turns.always();
        let (first, second) = (turns.queue(), turns.queue());
        assert!(second.turn_now().is_none());
        let turn = first.turn_now().expect("it is the first");
        drop(first);
        assert!(second.turn_now().is_none());
        drop(turn);
        assert!(second.turn_now().is_some());
    }

    #[test]
    fn the_next_one_is_woken_when_the_turn_is_over_and_when_the_one_before_it_leaves() {
        let turns = Turns::default();
        turns.always();
        let turn = turns.queue().turn_now().expect("nobody else is there");
        let (first, second) = (turns.queue(), turns.queue());
        drop(turn);
        assert_eq!((first.bell.count(), second.bell.count()), (1, 0));
        drop(first);
        assert_eq!(second.bell.count(), 1);
    }

    #[test]
    fn all_are_woken_when_turns_have_ended() {
        let turns = Turns::default();
        turns.note_collision(LOST);
        let turn = turns.queue().turn_now().expect("nobody else is there");
        let (first, second) = (turns.queue(), turns.queue());
        turns.have_worked_for(PERIOD);
        drop(turn);
        assert_eq!((first.bell.count(), second.bell.count()), (1, 1));
        assert!(second.turn_now().is_some() && first.turn_now().is_some());
    }

    #[test]
    fn after_a_collision_partitions_take_turns_until_they_have_worked_for_long_enough() {
        let turns = Turns::default();
        assert!(!turns.are_taken());
        turns.note_collision(LOST);
        assert!(turns.are_taken());
        turns.have_worked_for(PERIOD / 2);
        assert!(turns.are_taken());
        turns.have_worked_for(PERIOD / 2);
        assert!(!turns.are_taken());
    }

    #[test]
    fn they_last_twice_as_long_if_there_is_a_collision_soon_after() {
        let turns = Turns::default();
        turns.note_collision(LOST);
        turns.have_worked_for(PERIOD);
        turns.have_worked_for(PERIOD / 2);
        turns.note_collision(LOST);
        turns.have_worked_for(PERIOD);
        assert!(turns.are_taken());
    }

    #[test]
    fn they_last_no_longer_if_the_collision_comes_late() {
        let turns = Turns::default();
        turns.note_collision(LOST);
        turns.have_worked_for(PERIOD);
        turns.have_worked_for(PERIOD);
        turns.note_collision(LOST);
        turns.have_worked_for(PERIOD);
        assert!(!turns.are_taken());
    }
}
