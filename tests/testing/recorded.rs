use diesel_event_store::testing::given_recorded;

use super::door::{Cause, Door, IsOpen, failure};

#[test]
fn events_of_an_older_release_are_read_as_they_are_from_a_database() {
    let old = given_recorded::<Door>("front", [("DoorClosed", 1, "{}"), ("DoorOpened", 1, r#""Al""#)]);
    let old = old.then_state(|door| assert_eq!(door.last.as_deref(), Some("Al")));
    old.when(&Cause(vec![])).then_rejected(IsOpen(Some("Al".to_owned())));
}

#[test]
fn the_parts_of_a_split_event_are_folded_in_their_order() {
    let passed = given_recorded::<Door>("front", [("DoorPassed", 1, r#""Al""#)]);
    passed.then_state(|door| assert_eq!((door.is_open, door.last.as_deref()), (false, Some("Al"))));
}

#[test]
fn one_that_cannot_be_read_is_named() {
    let said = failure(|| given_recorded::<Door>("front", [("DoorClosed", 1, "{}"), ("DoorOpened", 2, "7")]));
    let beginning =
        "given event 2 cannot be read: DoorOpened version 2, event 2 of Door/front at position 2: ";
    assert!(said.starts_with(beginning), "{said}");
}

#[test]
fn one_that_is_not_json_is_named() {
    let said = failure(|| given_recorded::<Door>("front", [("DoorClosed", 1, "{")]));
    assert!(said.starts_with("given event 1 cannot be stored: payload is not JSON"), "{said}");
}
