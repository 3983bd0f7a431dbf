use diesel_event_store_derive::Event;

#[derive(Event)]
enum OrderEvent {
    #[event(name = "OrderPaid")]
    Paid,
    #[event(name = "OrderViewed", other)]
    Unknown,
}

fn main() {}
