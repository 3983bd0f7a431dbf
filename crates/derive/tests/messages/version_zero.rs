use diesel_event_store_derive::Event;

#[derive(Event)]
enum OrderEvent {
    #[event(name = "OrderPaid", version = 0)]
    Paid,
}

fn main() {}
