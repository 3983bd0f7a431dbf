use std::any::type_name;

use serde_json::Value;

use super::shape::Shape;
use super::snapshot_shape::SnapshotShape;
use crate::event::{Decoded, Event, EventError, EventType};
use crate::model::event::{NewEvent, RecordedEvent};

/// Events whose shapes a [lock](super) keeps. `#[event(lock)]` at the enum implements it; by hand, it lists
/// the [`Shape`] of each event that is written.
///
/// ```
/// use diesel_event_store::schema_lock::{Locked, Shape};
/// # use diesel_event_store::{Decoded, Event, EventError, EventType, InvalidInput, NewEvent, RecordedEvent};
/// #
/// # struct Counted(u32);
/// #
/// # impl Event for Counted {
/// #     const TYPES: &'static [EventType] = &[EventType::new("Counted", 1)];
/// #     fn event_type(&self) -> EventType { Self::TYPES[0] }
/// #     fn to_new(&self) -> Result<NewEvent, InvalidInput> { NewEvent::new("Counted", &self.0) }
/// #     fn decode(recorded: &RecordedEvent) -> Result<Decoded<Self>, EventError> {
/// #         recorded.payload().map(|number| Decoded::One(Self(number))).map_err(|_| EventError::unknown_type(recorded))
/// #     }
/// # }
///
/// impl Locked for Counted {
///     fn shapes() -> Vec<Shape> {
///         vec![Shape::of::<u32>(EventType::new("Counted", 1))]
///     }
/// }
/// ```
pub trait Locked: Event {
    /// What is stored: a shape per event.
    fn shapes() -> Vec<Shape>;
}

/// The shapes of one enum, and how it reads what was recorded, see [`shapes`]; or the shape of an aggregate's
/// snapshots, see [`snapshot`](super::snapshot()).
#[derive(Debug, Clone)]
pub struct Shapes {
    /// The Rust name of the enum, for messages.
    pub(super) of: &'static str,
    types: &'static [EventType],
    pub(super) shapes: Vec<Shape>,
    pub(super) samples: Vec<Sample>,
    pub(super) read: fn(&RecordedEvent) -> Result<Option<NewEvent>, EventError>,
    pub(super) snapshot: Option<SnapshotShape>,
}

/// Content of an event as it may have been recorded.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    pub(super) name: String,
    pub(super) version: i32,
    pub(super) content: Value,
}

/// The shapes of an enum of events, for [`check`](super::check()).
///
/// ```no_run
/// # use diesel_event_store::schema_lock::{self, Locked};
/// # fn check<OrderEvent: Locked, PaymentEvent: Locked>() -> Result<(), schema_lock::LockError> {
/// schema_lock::check(
///     "events.lock.json",
///     [schema_lock::shapes::<OrderEvent>(), schema_lock::shapes::<PaymentEvent>()],
/// )
/// # }
/// ```
pub fn shapes<E: Locked>() -> Shapes {
    Shapes {
        of: type_name::<E>(),
        types: E::TYPES,
        shapes: E::shapes(),
        samples: Vec::new(),
        read: read_and_write::<E>,
        snapshot: None,
    }
}

impl Shapes {
    /// Without events.
    pub(super) fn of_snapshot(of: &'static str, snapshot: Option<SnapshotShape>) -> Self {
        let read = |recorded: &RecordedEvent| Err(EventError::unknown_type(recorded));
        Self { of, types: &[], shapes: Vec::new(), samples: Vec::new(), read, snapshot }
    }

    /// Content of this event as it may have been recorded in this version. Needed where a text has rules of
    /// its own, which its schema does not tell: wherever the sample has a text, the contents that are tried
    /// have it, too. It is tried itself as well, so several may be given for one version.
    ///
    /// ```no_run
    /// # use diesel_event_store::schema_lock::{self, Locked};
    /// # use serde_json::json;
    /// # fn check<OrderEvent: Locked>() -> Result<(), schema_lock::LockError> {
    /// let paid = json!({ "iban": "DE75512108001245126199" });
    /// schema_lock::check("events.lock.json", [schema_lock::shapes::<OrderEvent>().sample("OrderPaid", 1, paid)])
    /// # }
    /// ```
    pub fn sample(mut self, name: impl Into<String>, version: i32, content: Value) -> Self {
        self.samples.push(Sample { name: name.into(), version, content });
        self
    }

    /// Whether events of this name are read, in whatever version.
    pub(super) fn know(&self, name: &str) -> bool {
        self.types.iter().any(|known| known.name() == name)
    }

    pub(super) fn samples_of(&self, name: &str, version: i32) -> Vec<&Value> {
        let samples = self.samples.iter();
        let of_it = samples.filter(|sample| sample.name == name && sample.version == version);
        of_it.map(|sample| &sample.content).collect()
    }
}

/// What would be written now for an event that was read. `None` if it became none, or several.
fn read_and_write<E: Event>(recorded: &RecordedEvent) -> Result<Option<NewEvent>, EventError> {
    let Decoded::One(event) = E::decode(recorded)? else { return Ok(None) };
    let written = event.to_new();
    let written =
        written.map_err(|error| EventError::undecodable(recorded, serde::ser::Error::custom(error)))?;
    Ok(Some(written))
}
