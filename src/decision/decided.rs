use super::envelope::Envelope;
use super::loaded::{Loaded, apply};
use super::{Aggregate, Executed};
use crate::event::{Decoded, Event};
use crate::model::event::{NewEvent, RecordedEvent};
use crate::model::invalid::{InvalidInput, Problem};
use crate::model::position::Position;
use crate::model::stream_id::StreamId;
use crate::model::timestamp;

/// What a state has decided: the events as they are appended, and as they will be read. An event that could
/// not be read back would make the aggregate unreadable for ever, so it is refused before it is appended.
pub(crate) struct Decided<E> {
    new: Vec<NewEvent>,
    read: Vec<Decoded<E>>,
}

impl<E: Event> Decided<E> {
    pub(crate) fn new(
        events: &[E],
        stream: &StreamId,
        version: i64,
        envelope: &Envelope,
    ) -> Result<Self, InvalidInput> {
        let mut decided =
            Self { new: Vec::with_capacity(events.len()), read: Vec::with_capacity(events.len()) };
        for (index, event) in events.iter().enumerate() {
            let new = event.to_new().map_err(|invalid| invalid.of_event(index))?;
            let recorded = new.clone().record(stream, version, Position::START, timestamp::now());
            decided.read.push(read_back(&recorded).map_err(|invalid| invalid.of_event(index))?);
            decided.new.push(envelope.around(new));
        }
        Ok(decided)
    }

    pub(crate) fn new_events(&self) -> &[NewEvent] {
        &self.new
    }

    /// The state after the append.
    pub(crate) fn executed<A>(self, loaded: Loaded<A>, recorded: Vec<RecordedEvent>) -> Executed<A>
    where
        A: Aggregate<Event = E>,
    {
        let version = recorded.last().map_or(loaded.version, RecordedEvent::version);
        let state = self.read.into_iter().fold(loaded.state, apply);
        Executed::new(state, version, recorded)
    }
}

fn read_back<E: Event>(recorded: &RecordedEvent) -> Result<Decoded<E>, InvalidInput> {
    E::decode(recorded).map_err(|error| {
        let event_type = recorded.event_type().to_owned();
        let problem = Problem::CannotBeReadBack { event_type, reason: error.problem().to_string() };
        InvalidInput::new("event", problem)
    })
}
