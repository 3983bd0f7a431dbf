use diesel_event_store::Event;

#[derive(Event)]
#[event(retired)]
enum OrderEvent {
    #[event(name = "OrderPaid")]
    Paid,
}

fn main() {}
