use diesel_event_store::Event;

#[derive(Event)]
enum PaymentEvent {
    #[event(name = "Paid")]
    Paid,
}

#[derive(Event)]
enum ShopEvent {
    #[event(flatten)]
    Payment(PaymentEvent),
    #[event(name = "Paid")]
    Paid,
}

fn main() {
    println!("{:?}", <ShopEvent as Event>::TYPES);
}
