use diesel_event_store::Event;

#[derive(Event)]
enum OrderEvent {
    #[event(name = "")]
    Paid,
}

fn main() {}
