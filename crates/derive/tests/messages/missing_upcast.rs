use diesel_event_store_derive::Event;

struct Placed {
    cents: i64,
}

#[derive(Event)]
enum OrderEvent {
    #[event(name = "OrderPlaced", version = 3)]
    #[event(upcast(version = 1, json = to_cents))]
    Placed(Placed),
}

fn main() {}
