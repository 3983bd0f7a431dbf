//! Each message says what has changed, in which event, and what to type.

use diesel_event_store::Event;
use diesel_event_store::schema_lock::{Mode, shapes};

use super::lock::{Lock, Result, release};

release!(first: struct { cents: u64, note: Option<String> });
release!(renamed: struct { amount: u64, note: Option<String> });
release!(without_note: struct { cents: u64 });
release!(with_by: struct { cents: u64, note: Option<String>, by: Option<String> });

#[derive(Event)]
#[event(lock)]
enum Nothing {
    #[event(name = "Shown")]
    Shown,
}

fn assert_says(said: &str, parts: &[&str]) {
    for part in parts {
        assert!(said.contains(part), "{part:?} is missing in:\n{said}");
    }
}

#[test]
fn of_what_cannot_be_read() -> Result {
    let said = Lock::of::<first::Events>()?.says::<renamed::Events>();
    let parts = [
        "Noted version 1 may have been recorded in a form that",
        "renamed::Events cannot read any more",
        r#"{"cents":1,"note":"text"}"#,
        "missing field `amount`",
        "- properties.cents: ",
        "+ properties.amount: ",
        "#[event(version = 2, upcast(version = 1, json = function))]",
        "EVENTS_LOCK=force cargo test",
    ];
    assert_says(&said, &parts);
    Ok(())
}

#[test]
fn of_a_field_that_is_dropped() -> Result {
    let said = Lock::of::<first::Events>()?.says::<without_note::Events>();
    assert_says(
        &said,
        &["Noted version 1", "/note", "- properties.note: ", "#[serde(rename = \"…\")]", "version = 2"],
    );
    Ok(())
}

#[test]
fn of_what_has_changed() -> Result {
    let said = Lock::of::<first::Events>()?.says::<with_by::Events>();
    assert_says(
        &said,
        &["Noted version 1 has another shape", "+ properties.by: ", "EVENTS_LOCK=update cargo test"],
    );
    Ok(())
}

#[test]
fn of_what_is_gone_and_what_is_new() -> Result {
    let said = Lock::of::<first::Events>()?.says::<Nothing>();
    let parts = [
        "Noted version 1 is in the lock, and nothing reads it any more",
        "#[event(retired(name = \"Noted\"))]",
        "EVENTS_LOCK=force cargo test",
        "Shown version 1 is not in the lock",
        "EVENTS_LOCK=update cargo test",
    ];
    assert_says(&said, &parts);
    Ok(())
}

#[test]
fn of_a_missing_file() -> Result {
    let said = Lock::new()?.says::<Nothing>();
    assert_says(&said, &["there is no lock file", "events.lock.json", "EVENTS_LOCK=update cargo test"]);
    Ok(())
}

#[test]
fn of_one_name_with_two_shapes() -> Result {
    let both = [shapes::<first::Events>(), shapes::<renamed::Events>()];
    let said = Lock::new()?.run(Mode::Update, both).unwrap_err().to_string();
    assert_says(
        &said,
        &["Noted version 1 is stored by", "first::Events", "renamed::Events", "each in its own form"],
    );
    Ok(())
}

#[test]
fn a_test_that_returns_the_error_prints_the_message() -> Result {
    let error = Lock::new()?.run(Mode::Check, [shapes::<Nothing>()]).unwrap_err();
    assert_eq!(format!("{error:?}"), error.to_string());
    Ok(())
}
