use std::collections::BTreeMap;
use std::fmt;

use crate::event::{Decoded, Event, EventError, EventProblem};
use crate::model::event::RecordedEvent;
use crate::model::filter::EventFilter;
use crate::model::log::LogQuery;
use crate::model::position::Position;
use crate::storage::connection::EventConnection;
use crate::storage::read::ReadError;
use crate::store::EventStore;

impl EventStore {
    /// Reads the events of a real log as `E`, and counts by type and version which can be read: before a
    /// release that changes events, on a copy of production, or as a job afterwards. It appends and changes
    /// nothing.
    ///
    /// The filter says which events `E` is responsible for. With
    /// [`aggregate_types`](EventFilter::aggregate_types), the types that `E` does not know are found as well;
    /// `EventFilter::new().event_types(E::TYPES.iter().map(|known| known.name()))` reads only those that it
    /// names.
    ///
    /// Events that were [archived](crate::guide::archiving) are not among them.
    ///
    /// It holds one page of events in memory at a time, and reads the log to the end that it has then, as
    /// [`iter_log`](Self::iter_log): inside a transaction on MySQL, up to the position that was published
    /// last.
    ///
    /// # Errors
    ///
    /// Those of [`read_log`](Self::read_log). An event that cannot be read as `E` is no error, but is in the
    /// report.
    ///
    /// ```
    /// use diesel::prelude::*;
    /// use diesel_event_store::{Event, EventFilter, EventStore, ExpectedVersion, NewEvent, StreamId};
    /// # use diesel_event_store::{Decoded, EventError, EventType, InvalidInput, RecordedEvent};
    /// #
    /// # struct OrderEvent;
    /// #
    /// # impl Event for OrderEvent {
    /// #     const TYPES: &'static [EventType] = &[EventType::new("OrderPaid", 1)];
    /// #     fn event_type(&self) -> EventType { Self::TYPES[0] }
    /// #     fn to_new(&self) -> Result<NewEvent, InvalidInput> { NewEvent::from_json("OrderPaid", "{}") }
    /// #     fn decode(recorded: &RecordedEvent) -> Result<Decoded<Self>, EventError> {
    /// #         match recorded.event_type() {
    /// #             "OrderPaid" => Ok(Decoded::One(OrderEvent)),
    /// #             _ => Err(EventError::unknown_type(recorded)),
    /// #         }
    /// #     }
    /// # }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let mut conn = SqliteConnection::establish(":memory:")?;
    /// # diesel_event_store::run_pending_migrations(&mut conn)?;
    /// # let (store, order) = (EventStore::new(), StreamId::new("Order", "o-1")?);
    /// # let events = [NewEvent::from_json("OrderPaid", "{}")?, NewEvent::from_json("OrderSent", "{}")?];
    /// # store.append(&mut conn, &order, ExpectedVersion::Any, &events)?;
    /// let orders = EventFilter::new().aggregate_types(["Order"]);
    /// let report = store.check_log::<OrderEvent>(&mut conn, orders)?;
    /// println!("{report}");
    /// assert_eq!((report.events(), report.unreadable()), (2, 1));
    /// # Ok(())
    /// # }
    /// ```
    pub fn check_log<E: Event>(
        &self,
        conn: &mut (impl EventConnection + ?Sized),
        filter: EventFilter,
    ) -> Result<LogReport, ReadError> {
        let mut report = LogReport::default();
        for recorded in
            self.iter_log(conn, LogQuery::after(Position::START).filter(filter).without_archived())
        {
            report.count::<E>(&recorded?);
        }
        Ok(report)
    }
}

/// How many events of a log can be read, by type and version. [`EventStore::check_log`] returns it; it is
/// displayed as a list.
#[derive(Debug, Default)]
pub struct LogReport {
    types: BTreeMap<(String, i32), TypeReport>,
}

impl LogReport {
    pub(crate) fn count<E: Event>(&mut self, recorded: &RecordedEvent) {
        let key = (recorded.event_type().to_owned(), recorded.event_version());
        let of_type = self.types.entry(key).or_insert_with(|| TypeReport::new(recorded));
        match E::decode(recorded) {
            Ok(Decoded::Ignored) => of_type.ignored += 1,
            Ok(_) => of_type.read += 1,
            Err(error) => of_type.add(error),
        }
    }

    /// How many events passed the filter.
    pub fn events(&self) -> u64 {
        self.types().map(TypeReport::events).sum()
    }

    /// How many of them cannot be read.
    pub fn unreadable(&self) -> u64 {
        self.types().map(TypeReport::unreadable).sum()
    }

    /// What was found, a type and version each, in the order of their names.
    pub fn types(&self) -> impl Iterator<Item = &TypeReport> {
        self.types.values()
    }
}

impl fmt::Display for LogReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} events, of which {} cannot be read", self.events(), self.unreadable())?;
        self.types().try_for_each(|of_type| write!(f, "\n{of_type}"))
    }
}

/// How many events of one type and version can be read.
#[derive(Debug)]
pub struct TypeReport {
    event_type: String,
    event_version: i32,
    read: u64,
    ignored: u64,
    errors: Vec<ErrorReport>,
}

impl TypeReport {
    fn new(recorded: &RecordedEvent) -> Self {
        Self {
            event_type: recorded.event_type().to_owned(),
            event_version: recorded.event_version(),
            read: 0,
            ignored: 0,
            errors: Vec::new(),
        }
    }

    fn add(&mut self, error: EventError) {
        match self.errors.iter_mut().find(|known| known.is_alike(error.problem())) {
            Some(known) => known.events += 1,
            None => self.errors.push(ErrorReport { events: 1, first: error }),
        }
    }

    /// The stored name of the type.
    pub fn event_type(&self) -> &str {
        &self.event_type
    }

    /// The version of the content.
    pub fn event_version(&self) -> i32 {
        self.event_version
    }

    /// How many events there are.
    pub fn events(&self) -> u64 {
        self.read + self.ignored + self.unreadable()
    }

    /// How many of them are read: as one event, or split into several.
    pub fn read(&self) -> u64 {
        self.read
    }

    /// How many of them are ignored, because the type is retired.
    pub fn ignored(&self) -> u64 {
        self.ignored
    }

    /// How many of them cannot be read.
    pub fn unreadable(&self) -> u64 {
        self.errors().iter().map(ErrorReport::events).sum()
    }

    /// Why, a variant of [`EventProblem`] each.
    pub fn errors(&self) -> &[ErrorReport] {
        &self.errors
    }
}

impl fmt::Display for TypeReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { event_type, event_version, read, ignored, errors } = self;
        write!(f, "  {event_type} version {event_version}: {read} read")?;
        if *ignored > 0 {
            write!(f, ", {ignored} ignored")?;
        }
        errors.iter().try_for_each(|error| write!(f, "\n    {error}"))
    }
}

/// How many events of one type and version cannot be read for the same reason.
#[derive(Debug)]
pub struct ErrorReport {
    events: u64,
    first: EventError,
}

impl ErrorReport {
    /// How many they are.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The error of the first of them.
    pub fn first(&self) -> &EventError {
        &self.first
    }

    fn is_alike(&self, problem: &EventProblem) -> bool {
        std::mem::discriminant(self.first.problem()) == std::mem::discriminant(problem)
    }
}

impl fmt::Display for ErrorReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { events, first } = self;
        write!(f, "{events} cannot be read, the first is {first}")
    }
}
