use diesel_event_store_derive::Event;

#[derive(Event)]
enum OrderEvent {
    #[event(name = "OrderPlaced")]
    Placed(#[event(tag = "product")] String),
}

fn main() {}
