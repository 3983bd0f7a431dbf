use crate::model::direction::Direction;
use crate::model::event::RecordedEvent;
use crate::model::filter::EventFilter;
use crate::model::invalid::{InvalidInput, check_at_least_one};
use crate::model::position::Position;

/// Selects events of the whole log: from which position, in which direction, and by which [`EventFilter`].
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::{EventStore, ExpectedVersion, LogQuery, NewEvent, Position, StreamId};
///
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// let store = EventStore::new();
/// for (aggregate_type, event_type) in [("User", "Created"), ("Order", "Placed"), ("User", "Left")] {
///     let stream = StreamId::new(aggregate_type, "7")?;
///     store.append(&mut conn, &stream, ExpectedVersion::Any, &[NewEvent::new(event_type, &())?])?;
/// }
///
/// let arrivals = ["Created", "Invited"];
/// let arrivals = LogQuery::after(Position::START).aggregate_types(["User"]).event_types(arrivals);
/// let slice = store.read_log(&mut conn, &arrivals, 100)?;
/// assert_eq!(slice.events()[0].event_type(), "Created");
/// assert_eq!(slice.scanned_to().get(), 3); // go on from here, though the last match was at 1
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogQuery {
    pub(crate) from: Position,
    pub(crate) direction: Direction,
    pub(crate) filter: EventFilter,
    pub(crate) max_bytes: usize,
    pub(crate) without_archived: bool,
}

/// How many bytes of payloads and metadata a slice of the log has at most, unless
/// [`LogQuery::max_bytes`] says otherwise: 16 MiB. The event that reaches it is the last of the slice.
pub const DEFAULT_SLICE_BYTES: usize = 16 << 20;

impl LogQuery {
    /// Forward, beginning with the first event after this position.
    ///
    /// ```
    /// # use diesel_event_store::{LogQuery, Position};
    /// let everything = LogQuery::after(Position::START);
    /// ```
    pub fn after(position: Position) -> Self {
        Self::new(position, Direction::Forward)
    }

    /// Backward, beginning with the last event before this position.
    ///
    /// ```
    /// # use diesel_event_store::{LogQuery, Position};
    /// let newest_first = LogQuery::before(Position::END);
    /// ```
    pub fn before(position: Position) -> Self {
        Self::new(position, Direction::Backward)
    }

    fn new(from: Position, direction: Direction) -> Self {
        Self {
            from,
            direction,
            filter: EventFilter::new(),
            max_bytes: DEFAULT_SLICE_BYTES,
            without_archived: false,
        }
    }

    /// Only events that pass this filter, which replaces all conditions that were given before.
    ///
    /// ```
    /// # use diesel_event_store::{EventFilter, LogQuery, Position};
    /// let created = EventFilter::new().event_types(["UserCreated"]);
    /// let query = LogQuery::after(Position::START).filter(created);
    /// ```
    pub fn filter(mut self, filter: EventFilter) -> Self {
        self.filter = filter;
        self
    }

    /// Short for [`EventFilter::tenant`].
    ///
    /// ```
    /// # use diesel_event_store::{LogQuery, Position};
    /// let query = LogQuery::after(Position::START).tenant("acme");
    /// ```
    pub fn tenant(mut self, tenant_id: impl ToString) -> Self {
        self.filter = self.filter.tenant(tenant_id);
        self
    }

    /// Short for [`EventFilter::aggregate_types`].
    ///
    /// ```
    /// # use diesel_event_store::{LogQuery, Position};
    /// let query = LogQuery::after(Position::START).aggregate_types(["User", "Account"]);
    /// ```
    pub fn aggregate_types<T: Into<String>>(mut self, types: impl IntoIterator<Item = T>) -> Self {
        self.filter = self.filter.aggregate_types(types);
        self
    }

    /// Short for [`EventFilter::event_types`].
    ///
    /// ```
    /// # use diesel_event_store::{LogQuery, Position};
    /// let query = LogQuery::after(Position::START).event_types(["UserCreated"]);
    /// ```
    pub fn event_types<T: Into<String>>(mut self, types: impl IntoIterator<Item = T>) -> Self {
        self.filter = self.filter.event_types(types);
        self
    }

    /// Short for [`EventFilter::correlation_id`]. The events are found by an index.
    ///
    /// ```
    /// # use diesel::prelude::*;
    /// # use diesel_event_store::*;
    /// # fn main() -> Result<(), diesel_event_store::Error> {
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # run_pending_migrations(&mut conn)?;
    /// # let (store, alice) = (EventStore::new(), StreamId::new("User", "alice")?);
    /// let created = NewEvent::new("UserCreated", &())?.correlation_id("request-4711");
    /// store.append(&mut conn, &alice, ExpectedVersion::Any, &[created])?;
    ///
    /// let request = LogQuery::after(Position::START).correlation_id("request-4711");
    /// let events = store.iter_log(&mut conn, request).collect::<Result<Vec<_>, _>>()?;
    /// assert_eq!(events.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn correlation_id(mut self, correlation_id: impl ToString) -> Self {
        self.filter = self.filter.correlation_id(correlation_id);
        self
    }

    /// How many bytes of payloads and metadata are read at once, 1 or more. Default: [`DEFAULT_SLICE_BYTES`].
    ///
    /// The event that reaches the number is the last of the slice, so every slice has one at least, however
    /// large it is. On SQLite no more is read. The servers' client libraries receive a whole result before
    /// the first event can be looked at, and the events beyond the number are dropped. On servers, also ask
    /// for fewer events at once if they are large. Iterators and projections do so by themselves.
    ///
    /// ```
    /// use diesel::prelude::*;
    /// use diesel_event_store::{EventStore, ExpectedVersion, LogQuery, NewEvent, Position, StreamId};
    ///
    /// # fn main() -> Result<(), diesel_event_store::Error> {
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # diesel_event_store::run_pending_migrations(&mut conn)?;
    /// # let store = EventStore::new();
    /// let document = StreamId::new("Document", 1)?;
    /// for _ in 0..5 {
    ///     let scan = NewEvent::new("Scanned", &"x".repeat(1_000))?;
    ///     store.append(&mut conn, &document, ExpectedVersion::Any, &[scan])?;
    /// }
    ///
    /// let query = LogQuery::after(Position::START).max_bytes(2_000);
    /// let slice = store.read_log(&mut conn, &query, 100)?;
    /// assert_eq!((slice.len(), slice.is_end()), (2, false));
    /// # Ok(())
    /// # }
    /// ```
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Reads the remaining events of a log of which some were [archived](crate::guide::archiving). Without
    /// it, reading forward from before archived events is refused with
    /// [`ReadError::Archived`](crate::ReadError::Archived), because a read model that is built from such a
    /// log would lack them. Reading backward is not refused.
    ///
    /// ```
    /// # use diesel_event_store::{LogQuery, Position};
    /// let what_is_left = LogQuery::after(Position::START).without_archived();
    /// ```
    pub fn without_archived(mut self) -> Self {
        self.without_archived = true;
        self
    }

    /// Whether what was archived up to a position is missing in what it finds.
    pub(crate) fn lacks(&self, archived_to: Position) -> bool {
        self.asks_for_archived() && self.from < archived_to
    }

    /// Whether it must not be told less than there was.
    pub(crate) fn asks_for_archived(&self) -> bool {
        self.direction == Direction::Forward && !self.without_archived
    }

    /// The same query, continued after the events that were scanned.
    pub(crate) fn resume(&mut self, scanned_to: Position) {
        self.from = scanned_to;
    }

    /// Whether there can be nothing to read, as mostly for a reader that waits for more.
    pub(crate) fn is_at_end(&self, complete: Position) -> bool {
        self.direction == Direction::Forward && complete <= self.from
    }

    /// Where a scan ends that is not cut short, in a log whose last event is at `last`.
    pub(crate) fn end(&self, last: Position) -> Position {
        match self.direction {
            Direction::Forward => last.max(self.from),
            Direction::Backward => Position::START,
        }
    }

    pub(crate) fn validate(&self) -> Result<(), InvalidInput> {
        check_at_least_one("max_bytes", self.max_bytes)?;
        self.filter.validate()
    }
}

/// Events of the whole log, and how far the log was scanned for them.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::{EventStore, ExpectedVersion, LogQuery, NewEvent, Position, StreamId};
///
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// # let (store, counter) = (EventStore::new(), StreamId::new("Counter", "c")?);
/// # let five = (1..=5).map(|n| NewEvent::new("Counted", &n)).collect::<Result<Vec<_>, _>>()?;
/// # store.append(&mut conn, &counter, ExpectedVersion::NoStream, &five)?;
/// let mut checkpoint = Position::START;
/// let mut counted = 0;
/// loop {
///     let slice = store.read_log(&mut conn, &LogQuery::after(checkpoint), 2)?;
///     counted += slice.len();
///     checkpoint = slice.scanned_to();
///     if slice.is_end() {
///         break;
///     }
/// }
/// assert_eq!((counted, checkpoint.get()), (5, 5));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSlice {
    events: Vec<RecordedEvent>,
    /// Of payloads and metadata.
    bytes: usize,
    scanned_to: Position,
    is_end: bool,
}

impl LogSlice {
    /// What a read of at most `limit` events, or of the query's bytes, has found. `end` is where the scan
    /// ended if it was not cut short by either.
    pub(crate) fn new(query: &LogQuery, events: Vec<RecordedEvent>, limit: i64, end: Position) -> Self {
        let bytes = events.iter().map(RecordedEvent::bytes).sum();
        let is_end = i64::try_from(events.len()) != Ok(limit) && bytes < query.max_bytes;
        let scanned_to = match events.last() {
            Some(event) if !is_end => event.position(),
            _ => end,
        };
        Self { events, bytes, scanned_to, is_end }
    }

    /// Of payloads and metadata.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The events, in the order they were asked for.
    pub fn events(&self) -> &[RecordedEvent] {
        &self.events
    }

    /// The events, without the rest.
    pub fn into_events(self) -> Vec<RecordedEvent> {
        self.events
    }

    /// How far the log was scanned: every event up to this position that matches is in this slice or an
    /// earlier one.
    ///
    /// Continue with `LogQuery::after` this position (or `before` it, when reading backward). It advances
    /// even when nothing has matched, so a reader with a filter does not scan the same events again.
    pub fn scanned_to(&self) -> Position {
        self.scanned_to
    }

    /// Whether the scan reached the end of the log, or its beginning when reading backward. Otherwise there
    /// may be more.
    pub fn is_end(&self) -> bool {
        self.is_end
    }

    /// How many events were read.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether no event was read.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }
}

impl IntoIterator for LogSlice {
    type Item = RecordedEvent;
    type IntoIter = std::vec::IntoIter<RecordedEvent>;

    fn into_iter(self) -> Self::IntoIter {
        self.events.into_iter()
    }
}

impl<'a> IntoIterator for &'a LogSlice {
    type Item = &'a RecordedEvent;
    type IntoIter = std::slice::Iter<'a, RecordedEvent>;

    fn into_iter(self) -> Self::IntoIter {
        self.events.iter()
    }
}
