use diesel_event_store::testing::given;

use super::door::{Cause, Door, DoorEvent, IsOpen, failure, opened};

#[test]
fn other_events_are_a_diff() {
    let said = failure(|| {
        let happened = Cause(vec![opened("Al"), DoorEvent::Closed, opened("Bo")]);
        given::<Door>("front", [opened("Cy"), DoorEvent::Closed]).when(&happened).then([
            opened("Al"),
            opened("Bo"),
            DoorEvent::Closed,
        ])
    });
    assert_eq!(
        said,
        r#"other events than expected (- expected, + decided):
  DoorOpened version 2 {"by":"Al"}
- DoorOpened version 2 {"by":"Bo"}
  DoorClosed version 1 {}
+ DoorOpened version 2 {"by":"Bo"}
given
  DoorOpened version 2 {"by":"Cy"}
  DoorClosed version 1 {}"#
    );
}

#[test]
fn the_number_of_equal_events_matters() {
    let said = failure(|| {
        given::<Door>("front", [])
            .when(&Cause(vec![DoorEvent::Closed, DoorEvent::Closed]))
            .then([DoorEvent::Closed])
    });
    assert_eq!(
        said,
        "other events than expected (- expected, + decided):\n  DoorClosed version 1 {}\n\
         + DoorClosed version 1 {}\ngiven nothing"
    );
}

#[test]
fn what_happens_though_nothing_should_is_shown() {
    let said = failure(|| given::<Door>("front", []).when(&Cause(vec![opened("Al")])).then_nothing());
    assert!(said.contains("\n+ DoorOpened version 2 {\"by\":\"Al\"}\n"), "{said}");
}

#[test]
fn a_rejection_is_shown_where_events_are_expected() {
    let said = failure(|| given::<Door>("front", [opened("Al")]).when(&Cause(vec![])).then_nothing());
    assert_eq!(said, "rejected: IsOpen(Some(\"Al\"))\ngiven\n  DoorOpened version 2 {\"by\":\"Al\"}");
    let said = failure(|| given::<Door>("front", [opened("Al")]).when(&Cause(vec![])).then_state(|_| ()));
    assert!(said.starts_with("rejected: IsOpen"), "{said}");
}

#[test]
fn events_are_shown_where_a_rejection_is_expected() {
    let said =
        failure(|| given::<Door>("front", []).when(&Cause(vec![opened("Al")])).then_rejected(IsOpen(None)));
    assert_eq!(
        said,
        "not rejected (- expected, + decided):\n- IsOpen(None)\n+ DoorOpened version 2 {\"by\":\"Al\"}\n\
         given nothing"
    );
}

#[test]
fn another_rejection_is_shown_beside_the_expected_one() {
    let said =
        failure(|| given::<Door>("front", [opened("Al")]).when(&Cause(vec![])).then_rejected(IsOpen(None)));
    assert!(
        said.starts_with("another rejection than expected:\n- IsOpen(None)\n+ IsOpen(Some(\"Al\"))\n"),
        "{said}"
    );
}

/// It would be recorded, and the aggregate could not be loaded any more.
#[test]
fn an_event_of_another_aggregate_is_caught() {
    let said = failure(|| given::<Door>("front", [DoorEvent::Foreign]));
    assert!(said.starts_with("given event 1 cannot be read: WindowBroken version 1"), "{said}");
    let said =
        failure(|| given::<Door>("front", []).when(&Cause(vec![DoorEvent::Closed, DoorEvent::Foreign])));
    let beginning = "what was decided cannot be recorded: event 1 of the batch: event is \"WindowBroken\"";
    assert!(said.starts_with(beginning), "{said}");
}

#[test]
fn an_id_that_cannot_be_stored_is_told() {
    let said = failure(|| given::<Door>("", []));
    assert_eq!(said, "the aggregate cannot be stored: aggregate_id is empty");
}
