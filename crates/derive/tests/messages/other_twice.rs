use diesel_event_store::Event;

#[derive(Event)]
enum OrderEvent {
    #[event(other)]
    Unknown,
    #[event(other)]
    Forgotten,
}

fn main() {}
