use diesel_event_store::testing::given;

use super::door::{Cause, Door, DoorEvent, IsOpen, opened};

#[test]
fn the_events_that_happen_are_the_expected_ones() {
    let outcome = given::<Door>("front", []).when(&Cause(vec![opened("Al"), DoorEvent::Closed]));
    outcome.then([opened("Al"), DoorEvent::Closed]);
}

#[test]
fn nothing_may_happen() {
    given::<Door>("front", [opened("Al"), DoorEvent::Closed]).when(&Cause(vec![])).then_nothing();
}

#[test]
fn a_command_is_rejected_because_of_what_has_happened() {
    given::<Door>("front", [opened("Al")]).when(&Cause(vec![])).then_rejected(IsOpen(Some("Al".to_owned())));
}

#[test]
fn the_state_is_looked_at_before_and_after_the_command() {
    let before = given::<Door>("front", [DoorEvent::Closed]).then_state(|door| {
        assert_eq!((&*door.id, door.is_open), ("front", false));
    });
    let after = before.when(&Cause(vec![opened("Al")])).then([opened("Al")]);
    after.then_state(|door| assert_eq!((door.is_open, door.last.as_deref()), (true, Some("Al"))));
}
