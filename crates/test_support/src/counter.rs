//! The smallest aggregate, without the derive macro.

use std::convert::Infallible;

use diesel_event_store::{
    Aggregate, AggregateRef, Decoded, Event, EventConnection, EventError, EventStore, EventType, Evolve,
    ExecuteError, Executed, InvalidInput, NewEvent, RecordedEvent, Snapshots,
};
use serde::{Deserialize, Serialize};

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

/// Counts once, as this reference says.
pub fn count_by(
    counter: &AggregateRef<Counter>,
    conn: &mut impl EventConnection,
) -> Result<Executed<Counter>, ExecuteError<Infallible>> {
    counter.clone().update(conn, |_| Ok(vec![Counted]))
}

/// The same with a snapshot after each event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptCounter(pub i64);

impl Evolve for KeptCounter {
    type Event = Counted;

    fn evolve(self, _event: Counted) -> Self {
        Self(self.0 + 1)
    }
}

impl Aggregate for KeptCounter {
    const TYPE: &'static str = "KeptCounter";

    fn initial(_id: &str) -> Self {
        Self(0)
    }

    fn snapshots() -> Option<Snapshots<Self>> {
        Some(Snapshots::version(1).every(1))
    }
}

/// Counts once. Which version the snapshot has that was written.
pub fn count_and_keep(conn: &mut impl EventConnection) -> crate::Result<i64> {
    let counter = EventStore::new().aggregate::<KeptCounter>("kept");
    let version = counter.update(conn, |_| Ok::<_, Infallible>(vec![Counted]))?.version;
    let kept = crate::count(conn, &format!("snapshots WHERE aggregate_version = {version}"))?;
    Ok(kept * version)
}
