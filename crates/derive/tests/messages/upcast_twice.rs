use diesel_event_store_derive::Event;

#[derive(Event)]
enum OrderEvent {
    #[event(name = "OrderPaid", version = 2)]
    #[event(upcast(version = 1, json = to_cents))]
    #[event(upcast(version = 1, json = to_euros))]
    Paid,
}

fn main() {}
