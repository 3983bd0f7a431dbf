use diesel_event_store_derive::Event;

#[derive(Event)]
enum OrderEvent {
    #[event(name = "OrderPaid")]
    #[serde(with = "as_text")]
    Paid(u64),
}

fn main() {}
