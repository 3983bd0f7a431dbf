use diesel_event_store_derive::Event;

#[derive(Event)]
enum ByText {
    #[event("OrderPaid")]
    Paid,
}

#[derive(Event)]
enum BySign {
    #[event = "OrderPaid"]
    Paid,
}

#[derive(Event)]
enum Alone {
    #[event]
    Paid,
}

#[derive(Event)]
#[event]
enum AtTheEnum {
    #[event(name = "OrderPaid")]
    Paid,
}

fn main() {}
