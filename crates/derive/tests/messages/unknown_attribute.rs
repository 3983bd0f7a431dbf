use diesel_event_store_derive::Event;

#[derive(Event)]
enum OrderEvent {
    #[event(named = "OrderPaid")]
    Paid,
}

fn main() {}
