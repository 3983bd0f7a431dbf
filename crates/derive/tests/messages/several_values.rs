use diesel_event_store::Event;

#[derive(Event)]
enum OrderEvent {
    #[event(name = "OrderPaid")]
    Paid(i64, String),
}

fn main() {}
