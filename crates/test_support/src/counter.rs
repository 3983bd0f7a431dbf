//! The smallest aggregate, without the derive macro.

use std::convert::Infallible;

use diesel_event_store::{
    Aggregate, AggregateRef, Decoded, Event, EventConnection, EventError, EventStore, EventType, Evolve,
    ExecuteError, Executed, InvalidInput, NewEvent, RecordedEvent,
};

/// How often it was counted.
#[derive(Debug, Clone, PartialEq)]
pub struct Counter(pub i64);

#[derive(Debug)]
pub struct Counted;

impl Event for Counted {
    const TYPES: &'static [EventType] = &[EventType::new("Counted", 1)];

    fn event_type(&self) -> EventType {
        Self::TYPES[0]
    }

    fn to_new(&self) -> Result<NewEvent, InvalidInput> {
        NewEvent::new("Counted", &1)
    }

    fn decode(recorded: &RecordedEvent) -> Result<Decoded<Self>, EventError> {
        match recorded.event_type() {
            "Counted" => Ok(Decoded::One(Self)),
            _ => Err(EventError::unknown_type(recorded)),
        }
    }
}

impl Evolve for Counter {
    type Event = Counted;

    fn evolve(self, _event: Counted) -> Self {
        Self(self.0 + 1)
    }
}

impl Aggregate for Counter {
    const TYPE: &'static str = "Counter";

    fn initial(_id: &str) -> Self {
        Self(0)
    }
}

pub fn counter(id: &str) -> AggregateRef<Counter> {
    EventStore::new().aggregate(id)
}

/// Counts once, after whatever happens while it is decided. How often it was decided.
pub fn count_while<C: EventConnection>(
    conn: &mut C,
    id: &str,
    mut meanwhile: impl FnMut(),
) -> (u32, Result<Executed<Counter>, ExecuteError<Infallible>>) {
    let mut decided = 0;
    let outcome = counter(id).update(conn, |_| {
        decided += 1;
        meanwhile();
        Ok(vec![Counted])
    });
    (decided, outcome)
}

/// Counts once.
pub fn count_once(conn: &mut impl EventConnection, id: &str) -> Result<i64, ExecuteError<Infallible>> {
    Ok(count_while(conn, id, || ()).1?.version)
}

/// Counts once, by this reference.
pub fn count_by(
    counter: &AggregateRef<Counter>,
    conn: &mut impl EventConnection,
) -> Result<Executed<Counter>, ExecuteError<Infallible>> {
    counter.update(conn, |_| Ok(vec![Counted]))
}
