use diesel_event_store_derive::Event;

struct PaymentEvent;

#[derive(Event)]
enum ShopEvent {
    #[event(flatten, name = "Payment", version = 2, alias = "Pay")]
    Payment(PaymentEvent),
}

fn main() {}
