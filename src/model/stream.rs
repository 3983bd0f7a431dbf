use std::ops::{Bound, RangeBounds};

use crate::model::direction::Direction;
use crate::model::event::RecordedEvent;
use crate::model::invalid::{InvalidInput, Problem, check_at_least_one};

/// Which events of a stream to read: a range of versions, the direction, and a limit.
///
/// Every range of versions can be used as a query: `..` (the whole stream), `5..` (from version 5), `..=9`,
/// `2..=4`. Versions begin at 1; `0..` and `..` mean the same.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::{EventStore, ExpectedVersion, NewEvent, StreamId, StreamQuery};
///
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// let store = EventStore::new();
/// let counter = StreamId::new("Counter", "c")?;
/// let five = (1..=5).map(|n| NewEvent::new("Counted", &n)).collect::<Result<Vec<_>, _>>()?;
/// store.append(&mut conn, &counter, ExpectedVersion::NoStream, &five)?;
///
/// assert_eq!(store.read_stream(&mut conn, &counter, ..)?.len(), 5);
/// assert_eq!(store.read_stream(&mut conn, &counter, 2..=4)?.len(), 3);
///
/// let newest = store.read_stream(&mut conn, &counter, StreamQuery::from(..).backward().limit(2))?;
/// let versions: Vec<i64> = newest.events().iter().map(|event| event.version()).collect();
/// assert_eq!(versions, [5, 4]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamQuery {
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) direction: Direction,
    pub(crate) limit: Option<usize>,
}

impl StreamQuery {
    /// Reads the newest event first. Default: the oldest first.
    pub fn backward(mut self) -> Self {
        self.direction = Direction::Backward;
        self
    }

    /// Reads at most this many events, 1 or more. Default: the whole range.
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = Some(limit);
        self
    }

    /// The next page of the query.
    pub(crate) fn page(&self, page_size: usize) -> Self {
        self.clone().limit(self.limit.map_or(page_size, |limit| limit.min(page_size)))
    }

    /// Moves on behind a page. Returns whether there may be more.
    pub(crate) fn resume(&mut self, page: &[RecordedEvent], page_size: usize) -> bool {
        let Some(last) = page.last() else { return false };
        match self.direction {
            Direction::Forward if last.version() == i64::MAX => return false,
            Direction::Forward => self.from = last.version() + 1,
            Direction::Backward => self.to = last.version() - 1,
        }
        self.limit = self.limit.map(|limit| limit - page.len());
        page.len() == page_size && self.limit != Some(0) && self.from <= self.to
    }

    fn of_range(versions: impl RangeBounds<i64>) -> Self {
        let from = match versions.start_bound() {
            Bound::Included(&version) => version,
            Bound::Excluded(&version) => version.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let to = match versions.end_bound() {
            Bound::Included(&version) => version,
            Bound::Excluded(&version) => version.saturating_sub(1),
            Bound::Unbounded => i64::MAX,
        };
        Self { from, to, direction: Direction::Forward, limit: None }
    }

    pub(crate) fn validate(&self) -> Result<(), InvalidInput> {
        for (field, value) in [("from version", self.from), ("to version", self.to)] {
            if value < 0 {
                let problem = Problem::OutOfRange { value, lowest: 0, highest: i64::MAX };
                return Err(InvalidInput::new(field, problem));
            }
        }
        if self.from > self.to {
            let problem = Problem::BackwardRange { from: self.from, to: self.to };
            return Err(InvalidInput::new("range of versions", problem));
        }
        self.limit.map_or(Ok(()), |limit| check_at_least_one("limit", limit).map(drop))
    }
}

macro_rules! stream_query_from_ranges {
    ($($range:ty),+ $(,)?) => {$(
        impl From<$range> for StreamQuery {
            fn from(versions: $range) -> Self {
                Self::of_range(versions)
            }
        }
    )+};
}

stream_query_from_ranges!(
    std::ops::RangeFull,
    std::ops::Range<i64>,
    std::ops::RangeFrom<i64>,
    std::ops::RangeTo<i64>,
    std::ops::RangeInclusive<i64>,
    std::ops::RangeToInclusive<i64>,
);

/// The versions `from..=to`, as far as there are events.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StreamPart {
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) direction: Direction,
}

/// Events of one stream, in the order of the query.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::{EventStore, ExpectedVersion, NewEvent, StreamId};
///
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// let store = EventStore::new();
/// let alice = StreamId::new("User", "alice")?;
///
/// let stream = store.read_stream(&mut conn, &alice, ..)?;
/// assert!(stream.is_empty() && stream.version() == 0);
///
/// // The append expects the version that was read.
/// let expected = ExpectedVersion::Exact(stream.version());
/// store.append(&mut conn, &alice, expected, &[NewEvent::new("UserCreated", &())?])?;
///
/// let stream = store.read_stream(&mut conn, &alice, ..)?;
/// assert_eq!((stream.len(), stream.version()), (1, 1));
/// for event in &stream {
///     assert_eq!(event.event_type(), "UserCreated");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamSlice {
    pub(crate) version: i64,
    pub(crate) events: Vec<RecordedEvent>,
}

impl StreamSlice {
    /// The version up to which the caller knows the stream after this read: what an append that is decided
    /// from these events should [expect](crate::ExpectedVersion::Exact).
    ///
    /// It is the stream's version, but never above the last version of the query's range. With no event after
    /// a snapshot at version 7, reading `8..` therefore returns 7.
    pub fn version(&self) -> i64 {
        self.version
    }

    /// The events.
    pub fn events(&self) -> &[RecordedEvent] {
        &self.events
    }

    /// Returns only the events.
    pub fn into_events(self) -> Vec<RecordedEvent> {
        self.events
    }

    /// The number of events.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether there are no events.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }
}

impl IntoIterator for StreamSlice {
    type Item = RecordedEvent;
    type IntoIter = std::vec::IntoIter<RecordedEvent>;

    fn into_iter(self) -> Self::IntoIter {
        self.events.into_iter()
    }
}

impl<'a> IntoIterator for &'a StreamSlice {
    type Item = &'a RecordedEvent;
    type IntoIter = std::slice::Iter<'a, RecordedEvent>;

    fn into_iter(self) -> Self::IntoIter {
        self.events.iter()
    }
}
