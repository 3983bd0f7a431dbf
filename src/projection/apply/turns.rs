use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::projection::link::Link;
use crate::store::bell::Bell;

/// How long partitions take turns, relative to the time that they have lost.
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
    until: Option<Instant>,
    period: Duration,
    is_taken: bool,
    waiting: usize,
}

impl Now {
    fn are_taken_in_turn(&self) -> bool {
        self.until.is_some_and(|until| until > Instant::now())
    }

    /// Within as long again.
    fn has_just_ended(&self) -> bool {
        self.until.is_some_and(|until| until.elapsed() < self.period)
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
        if !now.are_taken_in_turn() {
            return Some(Turn { turns: None, since: Instant::now() });
        }
        let is_next = has_waited || now.waiting == 0;
        // Not `then_some`: a turn that is made and dropped would wait for the lock that is held here.
        (is_next && !std::mem::replace(&mut now.is_taken, true))
            .then(|| Turn { turns: Some(self), since: Instant::now() })
    }

    /// A batch was rolled back for another one's sake, after this time. If that happens again soon after the
    /// turns have ended, they last twice as long.
    pub(super) fn has_collided(&self, lost: Duration) {
        let mut now = self.now();
        if now.are_taken_in_turn() {
            return;
        }
        let at_least = if now.has_just_ended() { now.period * 2 } else { Duration::ZERO };
        now.period = lost.saturating_mul(TIMES).max(at_least).min(LONGEST);
        now.until = Some(Instant::now() + now.period);
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
    turns: Option<&'t Turns>,
    since: Instant,
}

impl Turn<'_> {
    /// Whether another batch may follow before the others have theirs.
    pub(super) fn goes_on(&self) -> bool {
        self.turns.is_some() && self.since.elapsed() < LONGEST_TURN
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if let Some(turns) = self.turns {
            turns.now().is_taken = false;
            turns.is_free.ring();
        }
    }
}
