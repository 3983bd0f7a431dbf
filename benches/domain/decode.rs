//! A stream of typed events, decoded and folded, compared with a `match` on the names and serde.

use std::rc::Rc;

use bench_support::bench::Bench;
use bench_support::database;
use bench_support::payload::{AGGREGATE_TYPE, OrderPlaced};
use bench_support::side::Side;
use diesel_event_store::sqlite::Synchronous;
use diesel_event_store::{Event, EventStore, ExpectedVersion, RecordedEvent, StreamId};
use serde::Deserialize;

#[derive(Event)]
enum OrderEvent {
    #[event(name = "OrderPlaced")]
    Placed(OrderPlaced),
    #[event(name = "OrderLineAdded")]
    LineAdded { sku: String, quantity: u32 },
    #[event(name = "OrderPaid")]
    Paid,
}

#[derive(Deserialize)]
struct LineAdded {
    sku: String,
    quantity: u32,
}

#[derive(Debug, Default, PartialEq)]
struct Order {
    cents: u64,
    quantity: u64,
    longest_sku: usize,
    is_paid: bool,
}

impl Order {
    fn place(&mut self, placed: &OrderPlaced) {
        self.cents += placed.cents();
    }

    fn add_line(&mut self, sku: &str, quantity: u32) {
        self.quantity += u64::from(quantity);
        self.longest_sku = self.longest_sku.max(sku.len());
    }

    fn evolve(&mut self, event: OrderEvent) {
        match event {
            OrderEvent::Placed(placed) => self.place(&placed),
            OrderEvent::LineAdded { sku, quantity } => self.add_line(&sku, quantity),
            OrderEvent::Paid => self.is_paid = true,
        }
    }

    fn evolve_by_hand(&mut self, recorded: &RecordedEvent) -> serde_json::Result<()> {
        match recorded.event_type() {
            "OrderPlaced" => self.place(&serde_json::from_str(recorded.payload_json())?),
            "OrderLineAdded" => {
                let LineAdded { sku, quantity } = serde_json::from_str(recorded.payload_json())?;
                self.add_line(&sku, quantity);
            }
            "OrderPaid" => self.is_paid = true,
            unknown => panic!("no event is called {unknown}"),
        }
        Ok(())
    }
}

pub fn compare(bench: &mut Bench) {
    let events = bench.size(1_000, 6);
    let recorded = recorded(events);
    let name = format!("decode and fold a stream of {events} events");
    let sides = || vec![side("typed", &recorded, typed), side("by hand", &recorded, by_hand)];
    bench.compare(&name, 20, sides, &[(0, 1)]);
}

fn typed(recorded: &[RecordedEvent]) -> Order {
    let mut order = Order::default();
    for recorded in recorded {
        OrderEvent::decode(recorded).expect("an order's event").for_each(|event| order.evolve(event));
    }
    order
}

fn by_hand(recorded: &[RecordedEvent]) -> Order {
    let mut order = Order::default();
    for recorded in recorded {
        order.evolve_by_hand(recorded).expect("an order's event");
    }
    order
}

fn side(name: &str, recorded: &Rc<[RecordedEvent]>, fold: fn(&[RecordedEvent]) -> Order) -> Side {
    let recorded = Rc::clone(recorded);
    let expected = by_hand(&recorded);
    assert!(expected.is_paid && expected.cents > 0 && expected.quantity > 0);
    let expected = Rc::new(expected);
    Side::new(name, move || {
        let (recorded, expected) = (Rc::clone(&recorded), Rc::clone(&expected));
        move || assert_eq!(fold(&recorded), *expected)
    })
}

/// As they come from the database.
fn recorded(events: usize) -> Rc<[RecordedEvent]> {
    let folder = database::folder();
    let mut conn = database::connect(&database::empty(&folder), Synchronous::Normal);
    let order = StreamId::new(AGGREGATE_TYPE, "o-1").expect("a name");
    let new = |nth| event(nth).to_new().expect("JSON");
    let new: Vec<_> = (0..events).map(new).collect();
    let store = EventStore::new();
    store.append(&mut conn, &order, ExpectedVersion::NoStream, &new).expect("the append");
    store.read_stream(&mut conn, &order, ..).expect("the stream").into_events().into()
}

fn event(nth: usize) -> OrderEvent {
    match nth % 3 {
        0 => OrderEvent::Placed(OrderPlaced::example()),
        1 => OrderEvent::LineAdded { sku: format!("tea-{nth}"), quantity: 3 },
        _ => OrderEvent::Paid,
    }
}
