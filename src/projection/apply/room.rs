use std::time::{Duration, Instant};

use crate::storage::waiting::{self, LONGEST_SLEEP};

/// After this much writing, those that are known to wait are let in.
const LONGEST_WITH_OTHERS: Duration = Duration::from_millis(50);

/// After this much writing, everybody is let in. It costs a twentieth of the time.
const LONGEST: Duration = Duration::from_secs(2);

/// For how long a database was written to without leaving room for others.
#[derive(Default)]
pub(super) struct Room {
    since_known: Duration,
    since_any: Duration,
    ended_at: Option<Instant>,
}

/// For whom room is to be left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Others {
    /// For those that are known to wait.
    Known,
    /// For whoever may be there.
    Any,
}

impl Others {
    pub(super) fn may_be_there(self) -> bool {
        self == Self::Any || waiting::is_anybody()
    }
}

impl Room {
    /// It was written for this time, which has just ended.
    pub(super) fn count(&mut self, begun_at: Instant, ended_at: Instant) {
        if self.ended_at.is_none_or(|last| begun_at.saturating_duration_since(last) >= LONGEST_SLEEP) {
            (self.since_known, self.since_any) = (Duration::ZERO, Duration::ZERO);
        }
        let time = ended_at.saturating_duration_since(begun_at);
        self.since_known = self.since_known.saturating_add(time);
        self.since_any = self.since_any.saturating_add(time);
        self.ended_at = Some(ended_at);
    }

    /// Before it is written again.
    pub(super) fn is_due_to(&self) -> Option<Others> {
        if self.since_any >= LONGEST {
            Some(Others::Any)
        } else {
            (self.since_known >= LONGEST_WITH_OTHERS).then_some(Others::Known)
        }
    }

    pub(super) fn was_left_to(&mut self, others: Others) {
        self.since_known = Duration::ZERO;
        if others == Others::Any {
            self.since_any = Duration::ZERO;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{LONGEST, LONGEST_SLEEP, LONGEST_WITH_OTHERS, Others, Room};

    const TURN: Duration = LONGEST_WITH_OTHERS;

    /// Turns that follow each other after pauses of this length, until so much time has been worked.
    fn after(worked: Duration, pause: Duration) -> Room {
        let mut room = Room::default();
        let mut begun_at = Instant::now();
        for _ in 0..worked.div_duration_f64(TURN) as u32 {
            room.count(begun_at, begun_at + TURN);
            begun_at += TURN + pause;
        }
        room
    }

    #[test]
    fn nobody_is_let_in_before_it_was_written() {
        assert_eq!(Room::default().is_due_to(), None);
    }

    #[test]
    fn first_those_who_are_known_to_wait_are_let_in_and_in_the_end_all() {
        let short = Duration::from_millis(1);
        assert_eq!(after(LONGEST / 2, short).is_due_to(), Some(Others::Known));
        assert_eq!(after(LONGEST, short).is_due_to(), Some(Others::Any));
    }

    #[test]
    fn pauses_are_room_if_they_are_long_enough() {
        assert_eq!(after(LONGEST, LONGEST_SLEEP).is_due_to(), Some(Others::Known));
    }

    #[test]
    fn those_of_whom_nothing_is_known_are_let_in_although_others_were() {
        let mut room = after(LONGEST, Duration::ZERO);
        room.was_left_to(Others::Known);
        assert_eq!(room.is_due_to(), Some(Others::Any));
        room.was_left_to(Others::Any);
        assert_eq!(room.is_due_to(), None);
    }
}
