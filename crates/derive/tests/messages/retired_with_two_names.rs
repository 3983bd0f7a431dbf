use diesel_event_store_derive::Event;

#[derive(Event)]
#[event(retired(name = "OrderViewed", name = "OrderLookedAt"))]
enum OrderEvent {
    #[event(name = "OrderPaid")]
    Paid,
}

fn main() {}
