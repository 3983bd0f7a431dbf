use super::Loaded;
use crate::model::event::RecordedEvent;

/// What came of a command.
///
/// [`AggregateRef::execute`](crate::AggregateRef::execute) and [`update`](crate::AggregateRef::update) return
/// it.
///
/// ```
/// # use diesel_event_store::*;
/// fn answer<A>(done: &Executed<A>) -> String {
///     format!("now at version {}, after {} new events", done.version, done.events().len())
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Executed<A> {
    /// The state after the events.
    pub state: A,
    /// The version of the stream after the events: what the next command of the same client can
    /// [expect](crate::AggregateRef::expecting).
    pub version: i64,
    /// How many attempts it took, 1 or more.
    pub attempts: u32,
    /// Whether the command was executed before, with the same
    /// [key](crate::AggregateRef::idempotency_key). State, version and events are those of the first time.
    pub is_repeat: bool,
    events: Vec<RecordedEvent>,
}

impl<A> Executed<A> {
    pub(super) fn new(state: A, version: i64, events: Vec<RecordedEvent>) -> Self {
        Self { state, version, attempts: 1, is_repeat: false, events }
    }

    /// No events.
    pub(crate) fn nothing(loaded: Loaded<A>) -> Self {
        Self::new(loaded.state, loaded.version, Vec::new())
    }

    /// What came of it the first time.
    pub(crate) fn repeat(loaded: Loaded<A>, events: Vec<RecordedEvent>) -> Self {
        Self { is_repeat: true, ..Self::new(loaded.state, loaded.version, events) }
    }

    pub(crate) fn after(self, attempts: u32) -> Self {
        Self { attempts, ..self }
    }

    /// The events that were recorded. None if nothing was decided.
    pub fn events(&self) -> &[RecordedEvent] {
        &self.events
    }

    /// Returns only the events.
    pub fn into_events(self) -> Vec<RecordedEvent> {
        self.events
    }
}
