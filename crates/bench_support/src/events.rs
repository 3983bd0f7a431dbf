use diesel_event_store::{ExpectedVersion, NewEvent, RecordedEvent, StreamId};

use crate::payload::{AGGREGATE_TYPE, EVENT_TYPE, OrderPlaced};
use crate::workload::Append;

/// What an application makes from an order before it appends it.
pub fn prepare(append: &Append, payloads: &[OrderPlaced]) -> (StreamId, ExpectedVersion, Vec<NewEvent>) {
    let stream = StreamId::new(AGGREGATE_TYPE, &append.aggregate_id).expect("a name");
    let expected = match append.version {
        0 => ExpectedVersion::NoStream,
        version => ExpectedVersion::Exact(version),
    };
    let events = payloads.iter().map(|payload| NewEvent::new(EVENT_TYPE, payload).expect("JSON")).collect();
    (stream, expected, events)
}

/// The sum of the orders, whose payloads are parsed.
pub fn cents(events: &[RecordedEvent]) -> u64 {
    events.iter().map(|event| event.payload::<OrderPlaced>().expect("an order").cents()).sum()
}
