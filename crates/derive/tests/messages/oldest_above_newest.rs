use diesel_event_store::Event;

#[derive(Event)]
enum OrderEvent {
    #[event(name = "OrderPaid", oldest = 2)]
    Paid,
}

fn main() {}
