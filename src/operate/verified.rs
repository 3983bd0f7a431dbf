use std::ops::RangeInclusive;

use super::finding::Finding;
use crate::model::position::Position;

/// What [`verify`](super::verify()) has read, and found.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::operate::verify;
///
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// let verified = verify(&mut conn)?;
/// assert!(verified.is_sound() && verified.findings().is_empty());
/// assert_eq!((verified.events(), verified.last_position().get()), (0, 0));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verified {
    pub(super) events: u64,
    pub(super) streams: u64,
    pub(super) begin_later: u64,
    pub(super) archived: u64,
    pub(super) archived_ranges: Vec<RangeInclusive<Position>>,
    pub(super) last_position: Position,
    pub(super) seals: u64,
    pub(super) findings: Vec<Finding>,
    pub(super) more: u64,
}

impl Verified {
    /// How many findings of a kind are kept.
    pub(super) const MOST: usize = 100;

    /// Whether nothing was found.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }

    /// How many events were read.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// How many streams they belong to.
    pub fn streams(&self) -> u64 {
        self.streams
    }

    /// How many of these do not begin with version 1, because their first events were archived or erased.
    pub fn begin_later(&self) -> u64 {
        self.begin_later
    }

    /// How many events were [archived](crate::guide::archiving), so that they cannot be shown any more. What
    /// is left of them fits the seals, unless a finding says otherwise.
    pub fn archived(&self) -> u64 {
        self.archived
    }

    /// Where these were: the first hundred ranges, from the first to the last position, without an event that
    /// is still there in between.
    pub fn archived_ranges(&self) -> &[RangeInclusive<Position>] {
        &self.archived_ranges
    }

    /// The position of the last event that was read.
    pub fn last_position(&self) -> Position {
        self.last_position
    }

    /// How many seals were compared with the events below them.
    pub fn seals(&self) -> u64 {
        self.seals
    }

    /// What does not agree: of events and seals the first hundred, and of heads and of ids the first hundred
    /// each.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// How many more findings about events and seals there are.
    pub fn more(&self) -> u64 {
        self.more
    }
}
