use diesel_event_store::{
    AppendBatch, EventConnection, EventStore, ExpectedVersion, NewEvent, RecordedEvent, StreamId,
};
use uuid::Uuid;

use crate::payload::{AGGREGATE_TYPE, EVENT_TYPE, OrderPlaced};
use crate::workload::{Append, scatter};

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

/// One order, to a stream of any version.
pub fn append_one(conn: &mut impl EventConnection, aggregate_id: &str) {
    let (stream, placed) = one(aggregate_id);
    EventStore::new().append(conn, &stream, ExpectedVersion::Any, &[placed]).expect("the append");
}

/// The same with an idempotency key, each time a new one, anywhere in the index.
pub fn append_with_key(conn: &mut impl EventConnection, aggregate_id: &str) {
    let (stream, placed) = one(aggregate_id);
    let (_, number) = Uuid::now_v7().as_u64_pair();
    let key = format!("request-{:016x}", scatter(number));
    let batch = AppendBatch::new().append(&stream, ExpectedVersion::Any, [placed]).idempotency_key(key);
    let appended = EventStore::new().append_batch(conn, &batch).expect("the append");
    assert!(!appended.is_repeat());
}

fn one(aggregate_id: &str) -> (StreamId, NewEvent) {
    let stream = StreamId::new(AGGREGATE_TYPE, aggregate_id).expect("a name");
    (stream, NewEvent::new(EVENT_TYPE, &OrderPlaced::example()).expect("JSON"))
}

/// The sum of the orders, whose payloads are parsed.
pub fn cents(events: &[RecordedEvent]) -> u64 {
    events.iter().map(|event| event.payload::<OrderPlaced>().expect("an order").cents()).sum()
}
