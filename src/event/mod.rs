//! Typed events: an enum per aggregate, whose variants are stored under names written in the code.
//!
//! Nothing here knows a connection. [`Event`] says how a value becomes a [`NewEvent`] and what a
//! [`RecordedEvent`] is read as; the derive macro of the same name (feature `derive`) writes both.

mod decoded;
mod error;
pub(crate) mod event_type;
pub(crate) mod reading;

pub use decoded::Decoded;
pub use error::{EventError, EventName, EventProblem, UpcastError};
pub use event_type::EventType;

use crate::model::event::{NewEvent, RecordedEvent};
use crate::model::invalid::InvalidInput;

/// The events of an aggregate, or of any other group that is read together: an enum, usually.
///
/// Derive it (feature `derive`), or write it by hand as here. The stored name of an event is written in the
/// code and never taken from a Rust name, so renaming a type or variant changes nothing that is recorded.
///
/// ```
/// use diesel_event_store::{
///     Decoded, Event, EventError, EventType, InvalidInput, NewEvent, RecordedEvent,
/// };
///
/// #[derive(Debug, PartialEq)]
/// enum Switch {
///     On,
///     Off,
/// }
///
/// impl Event for Switch {
///     const TYPES: &'static [EventType] = &[EventType::new("SwitchedOn", 1), EventType::new("SwitchedOff", 1)];
///
///     fn event_type(&self) -> EventType {
///         match self {
///             Switch::On => Self::TYPES[0],
///             Switch::Off => Self::TYPES[1],
///         }
///     }
///
///     fn to_new(&self) -> Result<NewEvent, InvalidInput> {
///         NewEvent::from_json(self.event_type().name(), "{}")
///     }
///
///     fn decode(recorded: &RecordedEvent) -> Result<Decoded<Self>, EventError> {
///         match recorded.event_type() {
///             "SwitchedOn" => Ok(Decoded::One(Switch::On)),
///             "SwitchedOff" => Ok(Decoded::One(Switch::Off)),
///             _ => Err(EventError::unknown_type(recorded)),
///         }
///     }
/// }
///
/// assert_eq!(Switch::On.to_new()?.event_type(), "SwitchedOn");
/// # Ok::<(), InvalidInput>(())
/// ```
pub trait Event: Sized {
    /// Every name that [`decode`](Self::decode) reads, with its newest version: aliases and retired events,
    /// too. A projection of these events reads just these types from the log.
    const TYPES: &'static [EventType];

    /// Whether [`decode`](Self::decode) also takes events of types that [`TYPES`](Self::TYPES) does not name.
    /// Default: it does not.
    const TAKES_OTHERS: bool = false;

    /// The name and version under which this event is stored.
    fn event_type(&self) -> EventType;

    /// The event as it is appended. Ids, metadata and times can be added to what is returned.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`] when the content cannot be written as JSON; see [`NewEvent::new`].
    fn to_new(&self) -> Result<NewEvent, InvalidInput>;

    /// What a recorded event is read as: brought up to the newest version, split, or ignored if it is
    /// retired.
    ///
    /// # Errors
    ///
    /// [`EventError`], which names the event: an unknown type, a newer version than this program knows, an
    /// upcast that failed, or content that does not have the declared form.
    fn decode(recorded: &RecordedEvent) -> Result<Decoded<Self>, EventError>;
}
