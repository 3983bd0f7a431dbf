use diesel_event_store::Event;

#[derive(Event)]
enum OrderEvent {
    Paid,
}

fn main() {}
