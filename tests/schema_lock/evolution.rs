//! Versions, upcasts, names that are retired or taken over: what the macro offers satisfies the lock.

use std::time::Duration;

use diesel_event_store::schema_lock::FindingKind::{Dropped, Gone, New, TwoShapes, Unreadable};
use diesel_event_store::schema_lock::{Mode, shapes};
use diesel_event_store::{Event, RecordedEvent, UpcastError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::lock::{Lock, Result, kinds};

#[derive(Serialize, Deserialize, JsonSchema)]
pub struct PlacedV1 {
    euros: u32,
}

#[derive(Event)]
#[event(lock)]
enum First {
    #[event(name = "OrderPlaced")]
    Placed(PlacedV1),
    #[event(name = "OrderPaid")]
    Paid,
    #[event(name = "OrderNoted")]
    Noted { text: String, by: Option<String> },
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Placed {
    cents: i64,
}

impl From<PlacedV1> for Placed {
    fn from(PlacedV1 { euros }: PlacedV1) -> Self {
        Self { cents: i64::from(euros) * 100 }
    }
}

fn to_cents(old: Value, _: &RecordedEvent) -> std::result::Result<Value, UpcastError> {
    let euros = old["euros"].as_i64().ok_or("no euros")?;
    Ok(serde_json::json!({ "cents": euros.checked_mul(100).ok_or("too many")? }))
}

fn split(_: &RecordedEvent) -> std::result::Result<Vec<ByJson>, UpcastError> {
    Ok(vec![ByJson::Sent])
}

#[derive(Event)]
#[event(lock, retired(name = "OrderNoted"), retired(name = "OrderPaid", split = split))]
enum ByJson {
    #[event(name = "OrderPlaced", version = 2)]
    #[event(upcast(version = 1, json = to_cents))]
    Placed(Placed),
    #[event(name = "OrderSent")]
    Sent,
}

#[derive(Event)]
#[event(lock)]
enum ByType {
    #[event(name = "OrderPlaced", version = 2)]
    #[event(upcast(version = 1, from = PlacedV1))]
    Placed(Placed),
    #[event(name = "OrderSettled", alias = "OrderPaid")]
    Paid,
    #[event(name = "OrderRemarked", alias = "OrderNoted")]
    Noted { text: String, by: Option<String> },
}

#[test]
fn an_upcast_and_a_retired_name_pass() -> Result {
    assert_eq!(Lock::of::<First>()?.finds::<ByJson>(), [New, New], "the version, and the new event");
    Ok(())
}

#[derive(Event)]
#[event(lock)]
enum InWholeEuros {
    #[event(name = "OrderPlaced")]
    Placed { euros: i64 },
}

#[derive(Event)]
#[event(lock)]
enum InCents {
    #[event(name = "OrderPlaced", version = 2)]
    #[event(upcast(version = 1, json = to_cents))]
    Placed(Placed),
}

/// Nobody has ever recorded that many.
#[test]
fn an_upcast_may_refuse_the_largest_of_all_numbers() -> Result {
    assert_eq!(Lock::of::<InWholeEuros>()?.finds::<InCents>(), [New]);
    Ok(())
}

#[test]
fn an_upcast_by_type_and_an_alias_pass() -> Result {
    assert_eq!(Lock::of::<First>()?.finds::<ByType>(), [New, New, New]);
    Ok(())
}

#[derive(Event)]
#[event(lock)]
enum Timed {
    #[event(name = "OrderPaid")]
    Paid { took: Duration },
}

#[derive(Event)]
#[event(lock)]
enum TimedAnew {
    #[event(name = "OrderSettled", alias = "OrderPaid")]
    Paid { took: Duration },
}

#[derive(Event)]
#[event(lock)]
enum TimedInSeconds {
    #[event(name = "OrderSettled", alias = "OrderPaid")]
    Paid { took: Seconds },
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Seconds {
    secs: u16,
    nanos: u32,
}

/// A duration refuses some numbers that its schema allows, and changes others.
#[test]
fn an_alias_passes_whatever_the_type_does_with_extremes() -> Result {
    assert_eq!(Lock::of::<Timed>()?.finds::<TimedAnew>(), [New]);
    Ok(())
}

#[test]
fn an_alias_with_another_content_is_found() -> Result {
    assert_eq!(Lock::of::<Timed>()?.finds::<TimedInSeconds>(), [Unreadable, New]);
    Ok(())
}

#[derive(Event)]
#[event(lock)]
enum Forgetful {
    #[event(name = "OrderPlaced", version = 2, oldest = 2)]
    Placed(Placed),
    #[event(name = "OrderNoted")]
    Noted,
}

#[test]
fn a_version_without_a_way_a_name_without_a_reader_and_lost_content_are_found() -> Result {
    let lock = Lock::of::<First>()?;
    let found = lock.run(Mode::Check, [shapes::<Forgetful>()]).unwrap_err();
    let found: Vec<_> =
        found.findings().iter().map(|found| (found.name(), found.version(), found.kind())).collect();
    let expected = [
        ("OrderNoted", 1, Dropped),
        ("OrderPaid", 1, Gone),
        ("OrderPlaced", 1, Unreadable),
        ("OrderPlaced", 2, New),
    ];
    assert_eq!(found, expected);
    Ok(())
}

#[derive(Event)]
#[event(lock, retired(name = "OrderNoted"), retired(name = "OrderPaid"))]
enum WrongUpcast {
    #[event(name = "OrderPlaced", version = 2)]
    #[event(upcast(version = 1, json = no_change))]
    Placed(Placed),
}

fn no_change(old: Value, _: &RecordedEvent) -> std::result::Result<Value, UpcastError> {
    Ok(old)
}

#[derive(Event)]
#[event(lock, retired(name = "OrderNoted"), retired(name = "OrderPaid"))]
enum PanickingUpcast {
    #[event(name = "OrderPlaced", version = 2)]
    #[event(upcast(version = 1, json = panics))]
    Placed(Placed),
}

fn panics(old: Value, _: &RecordedEvent) -> std::result::Result<Value, UpcastError> {
    Ok(old["dollars"].as_i64().map(Value::from).expect("there are always dollars"))
}

#[test]
fn an_upcast_that_does_not_lead_to_the_next_version_is_found() -> Result {
    let lock = Lock::of::<First>()?;
    assert_eq!(lock.finds::<WrongUpcast>(), [Unreadable, New]);
    assert_eq!(lock.finds::<PanickingUpcast>(), [Unreadable, New]);
    assert!(lock.says::<PanickingUpcast>().contains("it panics: there are always dollars"));
    Ok(())
}

#[test]
fn an_older_release_is_found_beside_a_newer_lock() -> Result {
    let lock = Lock::of::<ByJson>()?;
    assert_eq!(lock.finds::<First>(), [Unreadable, Gone, New, New, New]);
    assert!(lock.says::<First>().contains("this program knows the type up to version 1"));
    Ok(())
}

#[derive(Event)]
#[event(lock)]
enum Shop {
    #[event(flatten)]
    Order(First),
    #[event(name = "ShopOpened")]
    Opened,
    #[event(other)]
    Other,
}

#[test]
fn an_enum_of_enums_has_the_shapes_of_both() -> Result {
    let lock = Lock::of::<Shop>()?;
    assert_eq!(lock.finds::<Shop>(), []);
    assert_eq!(
        kinds(lock.run(Mode::Check, [shapes::<Shop>(), shapes::<First>()])),
        [],
        "each twice, and the same"
    );
    assert_eq!(lock.finds::<First>(), [Gone]);
    Ok(())
}

#[derive(Event)]
#[event(lock)]
enum Rival {
    #[event(name = "OrderPaid")]
    Paid { cents: u64 },
}

#[test]
fn one_name_with_two_shapes_is_found() -> Result {
    let lock = Lock::new()?;
    for mode in [Mode::Update, Mode::Force] {
        assert_eq!(kinds(lock.run(mode, [shapes::<First>(), shapes::<Rival>()])), [TwoShapes]);
    }
    assert!(!lock.text()?.contains("OrderPaid"), "neither is recorded");
    Ok(())
}
