use diesel_event_store_derive::Event;

#[derive(Event)]
enum OrderEvent {
    #[event(name = "OrderPaid", version = 2, upcast(version = 1, json = |old, _| Ok(old)))]
    Paid,
}

fn main() {}
