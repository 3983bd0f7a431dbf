//! Older versions are brought up to the newest, retired events are ignored or split.

use diesel_event_store::{
    Decoded, Event, EventProblem, InvalidInput, NewEvent, Position, RecordedEvent, StreamId, UpcastError,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

type Result = std::result::Result<(), Box<dyn std::error::Error>>;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Placed {
    cents: i64,
    currency: String,
}

#[derive(Deserialize)]
struct PlacedV2 {
    cents: i64,
}

#[derive(Deserialize)]
struct PlacedV3 {
    cents: i64,
}

impl From<PlacedV2> for PlacedV3 {
    fn from(PlacedV2 { cents }: PlacedV2) -> Self {
        Self { cents }
    }
}

impl From<PlacedV3> for Placed {
    fn from(PlacedV3 { cents }: PlacedV3) -> Self {
        Self { cents, currency: "EUR".into() }
    }
}

fn euros_to_cents(mut old: Value, recorded: &RecordedEvent) -> std::result::Result<Value, UpcastError> {
    let euros = old["euros"].as_i64().ok_or_else(|| format!("no euros in event {}", recorded.version()))?;
    old["cents"] = (euros * 100).into();
    Ok(old)
}

#[derive(Deserialize)]
struct NotedV1(String);

impl From<NotedV1> for OrderEvent {
    fn from(NotedV1(text): NotedV1) -> Self {
        OrderEvent::Noted { text }
    }
}

fn split(recorded: &RecordedEvent) -> std::result::Result<Vec<OrderEvent>, UpcastError> {
    match recorded.payload_json() {
        "{}" => Ok(vec![OrderEvent::Paid, OrderEvent::Shipped]),
        other => Err(format!("nothing is known of {other}").into()),
    }
}

#[derive(Debug, PartialEq, Event)]
#[event(retired(name = "OrderViewed"))]
#[event(retired(name = "OrderPaidAndShipped", split = split))]
enum OrderEvent {
    #[event(name = "OrderPlaced", version = 4)]
    #[event(upcast(version = 1, json = euros_to_cents))]
    #[event(upcast(version = 2, from = PlacedV2))]
    #[event(upcast(version = 3, from = PlacedV3))]
    Placed(Placed),
    #[event(name = "OrderNoted", version = 2)]
    #[event(upcast(version = 1, from = NotedV1))]
    Noted { text: String },
    #[event(name = "OrderGifted", version = 3, oldest = 2)]
    #[event(upcast(version = 2, json = no_change))]
    Gifted { to: String },
    #[event(name = "OrderPaid")]
    Paid,
    #[event(name = "OrderShipped")]
    Shipped,
}

fn no_change(old: Value, _: &RecordedEvent) -> std::result::Result<Value, UpcastError> {
    Ok(old)
}

fn stored(
    name: &'static str,
    version: i32,
    payload: &str,
) -> std::result::Result<RecordedEvent, InvalidInput> {
    let event = NewEvent::from_json(name, payload)?.event_version(version);
    event.recorded(&StreamId::new("Order", "o-1")?, 3, Position::new(7)?)
}

#[test]
fn every_version_is_read_as_the_newest() -> Result {
    let placed = OrderEvent::Placed(Placed { cents: 1200, currency: "EUR".into() });
    for (version, payload) in [
        (1, r#"{"euros":12}"#),
        (2, r#"{"cents":1200}"#),
        (3, r#"{"cents":1200}"#),
        (4, r#"{"cents":1200,"currency":"EUR"}"#),
    ] {
        let read = OrderEvent::decode(&stored("OrderPlaced", version, payload)?)?;
        assert_eq!(read, Decoded::One(OrderEvent::Placed(Placed { cents: 1200, currency: "EUR".into() })));
    }
    assert_eq!(placed.event_type().version(), 4);
    Ok(())
}

#[test]
fn an_old_version_of_named_fields_is_read_by_type() -> Result {
    let read = OrderEvent::decode(&stored("OrderNoted", 1, r#""gift""#)?)?;
    assert_eq!(read, Decoded::One(OrderEvent::Noted { text: "gift".into() }));
    Ok(())
}

#[test]
fn a_failed_upcast_names_the_event_and_the_version() -> Result {
    let error = OrderEvent::decode(&stored("OrderPlaced", 1, r#"{"dollars":12}"#)?).unwrap_err();
    assert!(matches!(error.problem(), EventProblem::Upcast { from_version: 1, .. }));
    assert!(error.to_string().ends_with("no euros in event 3"), "{error}");
    Ok(())
}

#[derive(Debug, PartialEq, Event)]
enum InSteps {
    #[event(name = "OrderCounted", version = 3)]
    #[event(upcast(version = 2, json = only_even))]
    #[event(upcast(version = 1, json = doubled))]
    Counted { items: i64 },
}

fn doubled(old: Value, _: &RecordedEvent) -> std::result::Result<Value, UpcastError> {
    let pairs = old["pairs"].as_i64().ok_or("no pairs")?;
    Ok(serde_json::json!({ "items": pairs * 2 + old["more"].as_i64().unwrap_or(0) }))
}

fn only_even(old: Value, _: &RecordedEvent) -> std::result::Result<Value, UpcastError> {
    match old["items"].as_i64() {
        Some(items) if items % 2 == 0 => Ok(old),
        _ => Err("nobody has bought half a pair".into()),
    }
}

#[test]
fn steps_follow_each_other_and_the_one_that_failed_is_named() -> Result {
    let read = InSteps::decode(&stored("OrderCounted", 1, r#"{"pairs":3}"#)?)?;
    assert_eq!(read, Decoded::One(InSteps::Counted { items: 6 }));
    let error = InSteps::decode(&stored("OrderCounted", 1, r#"{"pairs":3,"more":1}"#)?).unwrap_err();
    assert!(matches!(error.problem(), EventProblem::Upcast { from_version: 2, .. }), "{error}");
    assert_eq!(error.event().event_version, 1);
    Ok(())
}

#[test]
fn an_old_version_of_another_form_is_undecodable() -> Result {
    for version in [2, 3] {
        let error = OrderEvent::decode(&stored("OrderPlaced", version, r#"{"cents":"a"}"#)?).unwrap_err();
        assert!(matches!(error.problem(), EventProblem::Undecodable { .. }), "version {version}: {error}");
    }
    Ok(())
}

#[test]
fn a_version_that_was_said_not_to_exist_is_an_error() -> Result {
    let read = OrderEvent::decode(&stored("OrderGifted", 2, r#"{"to":"Bo"}"#)?)?;
    assert_eq!(read, Decoded::One(OrderEvent::Gifted { to: "Bo".into() }));
    let error = OrderEvent::decode(&stored("OrderGifted", 1, r#"{"to":"Bo"}"#)?).unwrap_err();
    assert!(matches!(error.problem(), EventProblem::Upcast { from_version: 1, .. }), "{error}");
    Ok(())
}

#[test]
fn a_retired_event_is_ignored_whatever_it_holds() -> Result {
    for (version, payload) in [(1, "null"), (7, r#"{"by":"Bo"}"#)] {
        assert_eq!(OrderEvent::decode(&stored("OrderViewed", version, payload)?)?, Decoded::Ignored);
    }
    Ok(())
}

#[test]
fn a_retired_event_is_split() -> Result {
    let read = OrderEvent::decode(&stored("OrderPaidAndShipped", 1, "{}")?)?;
    assert_eq!(read, Decoded::Many(vec![OrderEvent::Paid, OrderEvent::Shipped]));
    let error = OrderEvent::decode(&stored("OrderPaidAndShipped", 3, "[]")?).unwrap_err();
    assert!(matches!(error.problem(), EventProblem::Upcast { from_version: 3, .. }), "{error}");
    Ok(())
}

#[derive(Debug, PartialEq, Event)]
enum ShopEvent {
    #[event(flatten)]
    Order(OrderEvent),
}

#[test]
fn a_split_event_stays_in_its_order_in_an_enum_of_enums() -> Result {
    let read = ShopEvent::decode(&stored("OrderPaidAndShipped", 1, "{}")?)?;
    let parts = [OrderEvent::Paid, OrderEvent::Shipped].map(ShopEvent::Order);
    assert_eq!(read, Decoded::Many(parts.into()));
    Ok(())
}

#[derive(Debug, PartialEq, Event)]
enum OldRelease {
    #[event(name = "OrderRemarked")]
    Remarked { note: Option<String> },
}

#[derive(Debug, PartialEq, Event)]
enum NewRelease {
    #[event(name = "OrderRemarked")]
    Remarked {
        #[serde(rename = "note")]
        remark: Option<String>,
    },
}

/// In a rolling deployment each release reads what the other writes.
#[test]
fn a_field_that_keeps_its_stored_name_is_read_by_both_releases() -> Result {
    let note = || Some("a gift".to_owned());
    let old = OldRelease::Remarked { note: note() }.to_new()?;
    let new = NewRelease::Remarked { remark: note() }.to_new()?;
    assert_eq!(old.payload_json(), new.payload_json());
    let read = OldRelease::decode(&stored("OrderRemarked", 1, new.payload_json())?)?;
    assert_eq!(read, Decoded::One(OldRelease::Remarked { note: note() }));
    let read = NewRelease::decode(&stored("OrderRemarked", 1, old.payload_json())?)?;
    assert_eq!(read, Decoded::One(NewRelease::Remarked { remark: note() }));
    Ok(())
}

/// JSON steps go through `serde_json::Value`; the newest version and steps by type do not.
#[derive(Event)]
enum Precise {
    #[event(name = "Measured", version = 2)]
    #[event(upcast(version = 1, from = Measured))]
    Measured(Measured),
}

#[derive(Serialize, Deserialize)]
struct Measured {
    value: Box<serde_json::value::RawValue>,
}

#[test]
fn steps_by_type_keep_every_digit() -> Result {
    let digits = "0.10000000000000000000000000000000000001";
    for version in [1, 2] {
        let recorded = stored("Measured", version, &format!(r#"{{"value":{digits}}}"#))?;
        let Decoded::One(Precise::Measured(measured)) = Precise::decode(&recorded)? else {
            panic!("one event")
        };
        assert_eq!(measured.value.get(), digits);
    }
    Ok(())
}
