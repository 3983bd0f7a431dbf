use diesel_event_store_derive::Event;

const NAME: &str = "OrderPaid";

#[derive(Event)]
enum ByConstant {
    #[event(name = NAME)]
    Paid,
}

#[derive(Event)]
enum Without {
    #[event(name)]
    Paid,
}

#[derive(Event)]
enum AliasByConstant {
    #[event(name = "OrderPaid", alias = NAME)]
    Paid,
}

#[derive(Event)]
#[event(crate = diesel_event_store)]
enum CrateByPath {
    #[event(name = "OrderPaid")]
    Paid,
}

fn main() {}
