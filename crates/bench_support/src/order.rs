use std::convert::Infallible;

use diesel_event_store::{
    Aggregate, Decoded, Event, EventConnection, EventError, EventStore, EventType, Evolve, ExpectedVersion,
    InvalidInput, NewEvent, RecordedEvent, Snapshots, StreamId,
};
use serde::{Deserialize, Serialize};

use crate::payload::{AGGREGATE_TYPE, EVENT_TYPE, OrderPlaced};

/// An aggregate that adds up what is ordered. 0 is without snapshots.
#[derive(Debug, Serialize, Deserialize)]
pub struct Order<const EVERY: u32> {
    cents: u64,
}

#[derive(Debug)]
pub struct Placed(OrderPlaced);

impl Event for Placed {
    const TYPES: &'static [EventType] = &[EventType::new(EVENT_TYPE, 1)];

    fn event_type(&self) -> EventType {
        Self::TYPES[0]
    }

    fn to_new(&self) -> Result<NewEvent, InvalidInput> {
        NewEvent::new(EVENT_TYPE, &self.0)
    }

    fn decode(recorded: &RecordedEvent) -> Result<Decoded<Self>, EventError> {
        let order = serde_json::from_str(recorded.payload_json());
        order.map(|order| Decoded::One(Self(order))).map_err(|error| EventError::undecodable(recorded, error))
    }
}

impl<const EVERY: u32> Evolve for Order<EVERY> {
    type Event = Placed;

    fn evolve(self, Placed(order): Placed) -> Self {
        Self { cents: self.cents + order.cents() }
    }
}

impl<const EVERY: u32> Aggregate for Order<EVERY> {
    const TYPE: &'static str = AGGREGATE_TYPE;

    fn initial(_id: &str) -> Self {
        Self { cents: 0 }
    }

    fn snapshots() -> Option<Snapshots<Self>> {
        (EVERY > 0).then(|| Snapshots::version(1).every(EVERY))
    }
}

impl<const EVERY: u32> Order<EVERY> {
    /// One more order, in one call. Returns the sum.
    pub fn execute(conn: &mut impl EventConnection, aggregate_id: &str) -> u64 {
        let order = EventStore::new().aggregate::<Self>(aggregate_id);
        let placed = || Ok::<_, Infallible>(vec![Placed(OrderPlaced::example())]);
        order.update(conn, |_| placed()).expect("the append").state.cents
    }

    /// 100 commands: up to the first snapshot and with it, if there is one every 100 events.
    pub fn execute_100(conn: &mut impl EventConnection, aggregate_id: &str) -> u64 {
        (0..100).map(|_| Self::execute(conn, aggregate_id)).last().expect("a command")
    }

    /// Returns the sum.
    pub fn load(conn: &mut impl EventConnection, aggregate_id: &str) -> u64 {
        EventStore::new().aggregate::<Self>(aggregate_id).load(conn).expect("the aggregate").state.cents
    }

    /// The same by hand: read, decode, append.
    pub fn by_hand(conn: &mut impl EventConnection, aggregate_id: &str) -> u64 {
        let (store, id) = (EventStore::new(), StreamId::new(AGGREGATE_TYPE, aggregate_id).expect("a name"));
        let stream = store.read_stream(conn, &id, ..).expect("the stream");
        let orders = stream.events().iter().map(|event| event.payload::<OrderPlaced>().expect("an order"));
        let cents: u64 = orders.map(|order| order.cents()).sum();
        let placed = OrderPlaced::example();
        let events = [NewEvent::new(EVENT_TYPE, &placed).expect("JSON")];
        store.append(conn, &id, ExpectedVersion::Exact(stream.version()), &events).expect("the append");
        cents + placed.cents()
    }
}
