use diesel_event_store_derive::Event;

#[derive(Event)]
enum OrderEvent {
    #[event(name = "OrderPaid")]
    #[event(name = "OrderSettled")]
    Paid,
}

fn main() {}
