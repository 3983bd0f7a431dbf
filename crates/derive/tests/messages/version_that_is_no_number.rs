use diesel_event_store_derive::Event;

#[derive(Event)]
enum OrderEvent {
    #[event(name = "OrderPaid", version = "2")]
    Paid,
}

fn main() {}
