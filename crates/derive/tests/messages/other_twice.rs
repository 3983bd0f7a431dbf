use diesel_event_store_derive::Event;

#[derive(Event)]
enum OrderEvent {
    #[event(other)]
    Unknown,
    #[event(other)]
    Forgotten,
}

fn main() {}
