//! What is stored is the content of the variant, under the name that stands in the code.

use diesel_event_store::{Event, EventType, Position, Problem, StreamId};
use serde::{Deserialize, Serialize};

type Result = std::result::Result<(), Box<dyn std::error::Error>>;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Placed {
    cents: i64,
}

#[derive(Debug, PartialEq, Event)]
#[serde(rename_all_fields = "camelCase")]
enum OrderEvent {
    #[event(name = "OrderPlaced", version = 2, oldest = 2)]
    Placed(Placed),
    #[event(name = "OrderLineAdded")]
    LineAdded {
        stock_keeping_unit: String,
        #[serde(rename = "qty")]
        quantity: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    #[event(name = "OrderPaid")]
    Paid,
    #[event(other)]
    Unknown,
}

fn line(note: Option<&str>) -> OrderEvent {
    let note = note.map(str::to_owned);
    OrderEvent::LineAdded { stock_keeping_unit: "ab12".into(), quantity: 3, note }
}

#[test]
fn a_newtype_is_stored_as_its_content() -> Result {
    let event = OrderEvent::Placed(Placed { cents: 1250 }).to_new()?;
    assert_eq!((event.event_type(), event.payload_json()), ("OrderPlaced", r#"{"cents":1250}"#));
    Ok(())
}

#[test]
fn named_fields_are_stored_with_their_serde_attributes() -> Result {
    assert_eq!(line(None).to_new()?.payload_json(), r#"{"stockKeepingUnit":"ab12","qty":3}"#);
    assert_eq!(
        line(Some("gift")).to_new()?.payload_json(),
        r#"{"stockKeepingUnit":"ab12","qty":3,"note":"gift"}"#
    );
    Ok(())
}

#[test]
fn a_variant_without_content_is_stored_as_an_empty_object() -> Result {
    assert_eq!(OrderEvent::Paid.to_new()?.payload_json(), "{}");
    Ok(())
}

#[test]
fn the_version_of_the_code_is_stored() -> Result {
    let placed = OrderEvent::Placed(Placed { cents: 1 });
    let recorded = placed.to_new()?.recorded(&StreamId::new("Order", "o-1")?, 1, Position::new(1)?)?;
    assert_eq!(recorded.event_version(), 2);
    assert_eq!(placed.event_type(), EventType::new("OrderPlaced", 2));
    assert_eq!(OrderEvent::TYPES[0], EventType::new("OrderPlaced", 2));
    Ok(())
}

#[test]
fn what_stands_for_other_events_cannot_be_appended() {
    let refused = OrderEvent::Unknown.to_new().unwrap_err();
    assert!(matches!(refused.problem(), Problem::NotSerializable { .. }), "{refused}");
}

#[derive(Serialize, Deserialize)]
struct Keyed(std::collections::BTreeMap<(i32, i32), i32>);

#[derive(Event)]
enum Unstorable {
    #[event(name = "Keyed")]
    Keyed(Keyed),
}

#[test]
fn content_that_is_no_json_is_refused_by_its_field() {
    let keyed = Unstorable::Keyed(Keyed([((1, 2), 3)].into()));
    assert_eq!(keyed.to_new().unwrap_err().field(), "payload");
}
