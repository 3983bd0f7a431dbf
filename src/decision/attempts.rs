use std::time::Duration;

use crate::model::chance::up_to;
use crate::model::invalid::{InvalidInput, Problem};

/// How often a command or a [transaction](crate::EventStore::transaction) is tried: 20 times. For commands,
/// [`AggregateRef::attempts`](crate::AggregateRef::attempts) sets another limit; for transactions nothing
/// does.
pub const DEFAULT_ATTEMPTS: u32 = 20;

const SHORTEST: Duration = Duration::from_micros(200);
const LONGEST: Duration = Duration::from_secs(5);

/// Attempts at the same, by callers that give way to each other a little longer each time.
pub(crate) struct Attempts {
    made: u32,
    most: u32,
}

impl Attempts {
    pub(crate) fn up_to(most: u32) -> Self {
        Self { made: 1, most }
    }

    pub(crate) fn made(&self) -> u32 {
        self.made
    }

    /// There is no other.
    pub(crate) fn give_up(&mut self) {
        self.most = self.made;
    }

    /// How long to pause before the next attempt, if there is to be one. The pauses are random, and in
    /// proportion to how long an attempt takes: callers that are slow, because the machine is or because they
    /// are many, need more room between them.
    pub(crate) fn pause_after(&mut self, took: Duration) -> Option<Duration> {
        if self.made >= self.most {
            return None;
        }
        let longest = took.max(SHORTEST).saturating_mul(1 << self.made.min(7)).min(LONGEST);
        self.made += 1;
        Some(up_to(longest))
    }
}

pub(crate) fn check_attempts(most: u32) -> Result<(), InvalidInput> {
    if most == 0 {
        let problem = Problem::OutOfRange { value: 0, lowest: 1, highest: i64::from(u32::MAX) };
        return Err(InvalidInput::new("attempts", problem));
    }
    Ok(())
}
