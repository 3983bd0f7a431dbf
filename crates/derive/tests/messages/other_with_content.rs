use diesel_event_store::Event;

#[derive(Event)]
enum OrderEvent {
    #[event(other)]
    Unknown(String),
}

fn main() {}
