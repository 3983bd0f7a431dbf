use diesel_event_store_derive::Event;

#[derive(Event)]
enum OrderEvent {
    #[event(name = "OrderPaid")]
    Paid(i64, String),
}

fn main() {}
