use diesel_event_store::Event;

#[derive(Event)]
enum OrderEvent {
    #[event(named = "OrderPaid")]
    Paid,
}

fn main() {}
