use diesel_event_store_derive::Event;

#[derive(Event)]
#[event(retired("OrderViewed"))]
enum OrderEvent {
    #[event(name = "OrderPaid")]
    Paid,
}

fn main() {}
