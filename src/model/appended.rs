use crate::model::event::RecordedEvent;
use crate::model::position::Position;

/// The result of an append: the events as they were recorded.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::{EventStore, ExpectedVersion, NewEvent, StreamId};
///
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// let account = StreamId::new("Account", 7)?;
/// let events = [NewEvent::new("Opened", &())?, NewEvent::new("Deposited", &100)?];
/// let appended = EventStore::new().append(&mut conn, &account, ExpectedVersion::NoStream, &events)?;
///
/// assert_eq!((appended.previous_version(), appended.version()), (0, 2));
/// assert_eq!(appended.events()[1].payload_json(), "100");
/// assert_eq!(appended.last_position(), appended.events()[1].position());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    pub(crate) previous_version: i64,
    pub(crate) events: Vec<RecordedEvent>,
}

impl Appended {
    /// The recorded events in the order of the batch, equal to what a read returns.
    pub fn events(&self) -> &[RecordedEvent] {
        &self.events
    }

    /// Returns only the events.
    pub fn into_events(self) -> Vec<RecordedEvent> {
        self.events
    }

    /// The version of the stream before the append.
    pub fn previous_version(&self) -> i64 {
        self.previous_version
    }

    /// The version of the stream after the append, which the next append to it can expect. After an append of
    /// no events ([`allow_empty`](crate::EventStore::allow_empty)) it is the version before the append.
    pub fn version(&self) -> i64 {
        self.events.last().map_or(self.previous_version, RecordedEvent::version)
    }

    /// The position of the last event of the batch. Without events it is [`Position::START`], which every
    /// reader has reached.
    pub fn last_position(&self) -> Position {
        self.events.last().map_or(Position::START, RecordedEvent::position)
    }
}
