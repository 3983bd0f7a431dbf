//! The derive macro needs no names but those that its attributes say.

use super::shop::OrderEvent;

type Result = std::result::Result<(), Box<dyn std::error::Error>>;

#[test]
fn the_crate_may_be_known_under_another_path() -> Result {
    use super::shop::reexported::diesel_event_store::{Decoded, Event, Position, StreamId};

    for event in [OrderEvent::paid(7), OrderEvent::shipped()] {
        let new = event.to_new()?;
        let recorded = new.recorded(&StreamId::new("Order", 1)?, 1, Position::new(1)?)?;
        assert_eq!(OrderEvent::decode(&recorded)?, Decoded::One(event));
    }
    Ok(())
}
