//! What is stored is the content of the variant, under the name that stands in the code.

use diesel_event_store::{
    Decoded, Event, EventProblem, EventType, InvalidInput, NewEvent, Position, Problem, RecordedEvent,
    StreamId, UpcastError,
};
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

mod as_text {
    use serde::de::{Deserialize, Deserializer, Error};
    use serde::ser::Serializer;

    pub fn serialize<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&number.to_string())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[derive(Debug, PartialEq, Event)]
enum Counted {
    #[event(name = "Counted", version = 2)]
    #[event(upcast(version = 1, json = as_it_is))]
    To(#[serde(with = "as_text")] u64),
}

fn as_it_is(
    old: serde_json::Value,
    _: &RecordedEvent,
) -> std::result::Result<serde_json::Value, UpcastError> {
    Ok(old)
}

#[test]
fn a_newtype_is_stored_and_read_with_the_serde_attributes_of_its_value() -> Result {
    let new = Counted::To(7).to_new()?;
    assert_eq!(new.payload_json(), r#""7""#);
    for version in [1, 2] {
        let recorded = NewEvent::from_json("Counted", new.payload_json())?.event_version(version);
        let recorded = recorded.recorded(&StreamId::new("Counter", "c-1")?, 1, Position::new(1)?)?;
        assert_eq!(Counted::decode(&recorded)?, Decoded::One(Counted::To(7)));
    }
    Ok(())
}

/// Names that the macro, or serde's, could use itself.
#[derive(Debug, PartialEq, Event)]
#[serde(rename_all_fields = "camelCase")]
enum Named {
    #[event(name = "A")]
    A { some_cents: i64 },
    #[event(name = "E")]
    E { some_cents: i64 },
    #[event(name = "Field")]
    Field { some_cents: i64 },
    #[event(name = "Visitor", version = 2147483647, oldest = 2147483647)]
    Visitor { some_cents: i64 },
    #[event(name = "Content")]
    #[serde(rename_all = "snake_case", alias = "for the enum's own serde derive")]
    Content { some_cents: i64 },
    #[event(name = "Shadow")]
    #[serde(rename = "for the enum's own serde derive")]
    Shadow { some_cents: i64 },
}

#[test]
fn a_variant_has_any_name_and_renames_its_fields_itself() -> Result {
    let camel = r#"{"someCents":1}"#;
    for (event, json) in [
        (Named::A { some_cents: 1 }, camel),
        (Named::E { some_cents: 1 }, camel),
        (Named::Field { some_cents: 1 }, camel),
        (Named::Visitor { some_cents: 1 }, camel),
        (Named::Content { some_cents: 1 }, r#"{"some_cents":1}"#),
        (Named::Shadow { some_cents: 1 }, camel),
    ] {
        let new = event.to_new()?;
        assert_eq!(new.payload_json(), json);
        let recorded = new.recorded(&StreamId::new("Any", "1")?, 1, Position::new(1)?)?;
        assert_eq!(Named::decode(&recorded)?, Decoded::One(event));
    }
    Ok(())
}

#[test]
fn a_variant_without_content_reads_an_object_and_null() -> Result {
    let read = |json| -> std::result::Result<RecordedEvent, InvalidInput> {
        let paid = NewEvent::from_json("OrderPaid", json)?;
        paid.recorded(&StreamId::new("Order", "o-1")?, 1, Position::new(1)?)
    };
    for json in ["{}", r#"{"cents":[{}]}"#, "null"] {
        assert_eq!(OrderEvent::decode(&read(json)?)?, Decoded::One(OrderEvent::Paid), "{json}");
    }
    for json in ["[]", "[1,2]", "7", r#""paid""#, "true"] {
        let error = OrderEvent::decode(&read(json)?).unwrap_err();
        assert!(matches!(error.problem(), EventProblem::Undecodable { .. }), "{json}: {error}");
    }
    Ok(())
}

#[derive(Debug, PartialEq, Event)]
#[serde(deny_unknown_fields)]
enum Strict {
    #[event(name = "OrderGifted")]
    Gifted { to: String },
    #[event(name = "OrderCounted")]
    Counted(#[serde(default)] u32),
}

#[test]
fn fields_that_are_not_declared_are_refused_if_the_enum_says_so() -> Result {
    let read = |name, json| -> std::result::Result<_, InvalidInput> {
        let recorded = NewEvent::from_json(name, json)?;
        Ok(Strict::decode(&recorded.recorded(&StreamId::new("Order", "o-1")?, 1, Position::new(1)?)?))
    };
    assert_eq!(read("OrderGifted", r#"{"to":"Bo"}"#)??, Decoded::One(Strict::Gifted { to: "Bo".into() }));
    let error = read("OrderGifted", r#"{"to":"Bo","from":"Al"}"#)?.unwrap_err();
    assert!(error.to_string().contains("unknown field `from`"), "{error}");
    assert_eq!(read("OrderCounted", "7")??, Decoded::One(Strict::Counted(7)));
    Ok(())
}
