use diesel_event_store::Event;

#[derive(Event)]
#[event(name = "Order")]
enum OrderEvent {
    #[event(name = "OrderPaid")]
    Paid,
}

fn main() {}
