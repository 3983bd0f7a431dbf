use diesel_event_store_derive::Event;

#[derive(Event)]
enum OrderEvent {
    #[event(name = "OrderPlaced")]
    Placed {
        #[event(personal(subject = "customer"))]
        email: String,
    },
}

fn main() {}
