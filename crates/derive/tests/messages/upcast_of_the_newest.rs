use diesel_event_store_derive::Event;

#[derive(Event)]
enum OrderEvent {
    #[event(name = "OrderPaid", upcast(version = 1, json = to_cents))]
    Paid,
}

fn main() {}
