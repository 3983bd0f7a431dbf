use diesel_event_store::Event;

#[derive(Event)]
struct OrderPaid;

fn main() {}
