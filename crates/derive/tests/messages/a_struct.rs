use diesel_event_store_derive::Event;

#[derive(Event)]
struct OrderPaid;

fn main() {}
