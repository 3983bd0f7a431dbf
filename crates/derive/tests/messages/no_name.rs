use diesel_event_store_derive::Event;

#[derive(Event)]
enum OrderEvent {
    Paid,
}

fn main() {}
