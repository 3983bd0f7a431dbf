use diesel_event_store_derive::Event;

#[derive(Event)]
enum OrderEvent {
    #[event(name = "OrderPaid", version = 2147483647, oldest = 2147483646)]
    Paid,
}

fn main() {}
