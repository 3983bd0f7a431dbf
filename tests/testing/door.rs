//! A door with a counter, and what its tests say when they fail.

use std::panic::{AssertUnwindSafe, catch_unwind};

use diesel_event_store::{
    Aggregate, Decide, Decoded, Event, EventError, EventType, Evolve, InvalidInput, NewEvent, RecordedEvent,
};
use serde::Deserialize;

/// By hand, so that it can say what it does not read.
#[derive(Debug, Clone, PartialEq)]
pub enum DoorEvent {
    Opened {
        by: String,
    },
    Closed,
    /// Of another aggregate.
    Foreign,
}

pub fn opened(by: &str) -> DoorEvent {
    DoorEvent::Opened { by: by.to_owned() }
}

impl Event for DoorEvent {
    const TYPES: &'static [EventType] = &[EventType::new("DoorOpened", 2), EventType::new("DoorClosed", 1)];

    fn event_type(&self) -> EventType {
        match self {
            DoorEvent::Opened { .. } => Self::TYPES[0],
            DoorEvent::Closed => Self::TYPES[1],
            DoorEvent::Foreign => EventType::new("WindowBroken", 1),
        }
    }

    fn to_new(&self) -> Result<NewEvent, InvalidInput> {
        let json = match self {
            DoorEvent::Opened { by } => serde_json::json!({ "by": by }).to_string(),
            DoorEvent::Closed | DoorEvent::Foreign => "{}".to_owned(),
        };
        let event_type = self.event_type();
        Ok(NewEvent::from_json(event_type.name(), json)?.event_version(event_type.version()))
    }

    /// Version 1 was just the name. A door that somebody passed was opened and closed.
    fn decode(recorded: &RecordedEvent) -> Result<Decoded<Self>, EventError> {
        #[derive(Deserialize)]
        struct By {
            by: String,
        }
        let undecodable = |error| EventError::undecodable(recorded, error);
        let json = recorded.payload_json();
        if recorded.event_type() == "DoorPassed" {
            let by = serde_json::from_str::<String>(json).map_err(undecodable)?;
            return Ok(Decoded::Many(vec![opened(&by), DoorEvent::Closed]));
        }
        Ok(Decoded::One(match (recorded.event_type(), recorded.event_version()) {
            ("DoorOpened", 1) => opened(&serde_json::from_str::<String>(json).map_err(undecodable)?),
            ("DoorOpened", 2) => opened(&serde_json::from_str::<By>(json).map_err(undecodable)?.by),
            ("DoorClosed", 1) => DoorEvent::Closed,
            _ => return Err(EventError::unknown_type(recorded)),
        }))
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Door {
    pub id: String,
    pub is_open: bool,
    pub last: Option<String>,
}

impl Evolve for Door {
    type Event = DoorEvent;

    fn evolve(self, event: DoorEvent) -> Self {
        match event {
            DoorEvent::Opened { by } => Self { is_open: true, last: Some(by), ..self },
            DoorEvent::Closed | DoorEvent::Foreign => Self { is_open: false, ..self },
        }
    }
}

impl Aggregate for Door {
    const TYPE: &'static str = "Door";

    fn initial(id: &str) -> Self {
        Self { id: id.to_owned(), is_open: false, last: None }
    }
}

/// These events happen, unless the door is open.
pub struct Cause(pub Vec<DoorEvent>);

#[derive(Debug, PartialEq)]
pub struct IsOpen(pub Option<String>);

impl Decide<Cause> for Door {
    type Error = IsOpen;

    fn decide(&self, Cause(events): &Cause) -> Result<Vec<DoorEvent>, IsOpen> {
        if self.is_open { Err(IsOpen(self.last.clone())) } else { Ok(events.clone()) }
    }
}

/// What the test says that fails.
pub fn failure<T>(test: impl FnOnce() -> T) -> String {
    let panic = catch_unwind(AssertUnwindSafe(test)).err().expect("it fails");
    *panic.downcast::<String>().expect("it says why")
}
