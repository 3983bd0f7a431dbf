use diesel_event_store_derive::Event;

#[derive(Event)]
enum OrderEvent<T> {
    #[event(name = "OrderPaid")]
    Paid(T),
}

fn main() {}
