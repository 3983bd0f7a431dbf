//! Changes of an enum within the content.

use diesel_event_store::schema_lock::FindingKind::{Changed, Dropped, Unreadable};

use super::lock::{Result, from_to, release};

release!(states: enum { Open, Closed { by: String }, Moved(u64) });
release!(fewer: enum { Open, Closed { by: String } });
release!(more: enum { Open, Closed { by: String }, Moved(u64), Lost });
release!(reordered: enum { Moved(u64), Open, Closed { by: String } });

#[test]
fn a_lost_variant_is_found_and_a_new_one_passes() -> Result {
    assert_eq!(from_to!(states, states), []);
    assert_eq!(from_to!(states, reordered), []);
    assert_eq!(from_to!(states, fewer), [Unreadable]);
    assert_eq!(from_to!(states, more), [Changed]);
    Ok(())
}

release!(plain: enum { Open, Closed });
release!(plain_fewer: enum { Open });
release!(plain_renamed: #[serde(rename_all = "lowercase")] enum { Open, Closed });
release!(plain_aliased: enum { Open, #[serde(rename = "Shut", alias = "Closed")] Closed });

#[test]
fn a_lost_name_is_found_unless_it_is_an_alias() -> Result {
    assert_eq!(from_to!(plain, plain_fewer), [Unreadable]);
    assert_eq!(from_to!(plain, plain_renamed), [Unreadable]);
    assert_eq!(from_to!(plain, plain_aliased), [Changed]);
    Ok(())
}

release!(external: enum { Paid { cents: u64 }, Sent { to: String } });
release!(internal: #[serde(tag = "kind")] enum { Paid { cents: u64 }, Sent { to: String } });
release!(adjacent: #[serde(tag = "kind", content = "value")] enum { Paid { cents: u64 }, Sent { to: String } });
release!(untagged: #[serde(untagged)] enum { Paid { cents: u64 }, Sent { to: String } });
release!(other_tag: #[serde(tag = "type")] enum { Paid { cents: u64 }, Sent { to: String } });

#[test]
fn changed_tagging_is_found() -> Result {
    assert_eq!(from_to!(external, internal), [Unreadable]);
    assert_eq!(from_to!(external, untagged), [Unreadable]);
    assert_eq!(from_to!(internal, external), [Unreadable]);
    assert_eq!(from_to!(internal, adjacent), [Unreadable]);
    assert_eq!(from_to!(internal, other_tag), [Unreadable]);
    assert_eq!(from_to!(adjacent, internal), [Unreadable]);
    assert_eq!(from_to!(untagged, internal), [Unreadable]);
    assert_eq!(from_to!(internal, untagged), [Dropped], "the tag");
    Ok(())
}

#[test]
fn each_way_to_tag_is_understood() -> Result {
    assert_eq!(from_to!(external, external), []);
    assert_eq!(from_to!(internal, internal), []);
    assert_eq!(from_to!(adjacent, adjacent), []);
    assert_eq!(from_to!(untagged, untagged), []);
    Ok(())
}

release!(fewer_fields: #[serde(tag = "kind")] enum { Paid { cents: u64 }, Sent {} });

#[test]
fn a_field_of_one_variant_is_found() -> Result {
    assert_eq!(from_to!(internal, fewer_fields), [Dropped]);
    Ok(())
}

release!(flattened: struct { at: u64, #[serde(flatten)] what: What }
    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(tag = "kind")]
    pub enum What { Paid { cents: u64 }, Sent { to: String } }
);
release!(flattened_fewer: struct { at: u64, #[serde(flatten)] what: What }
    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(tag = "kind")]
    pub enum What { Paid { cents: u64 } }
);

#[test]
fn an_enum_among_the_fields_is_understood() -> Result {
    assert_eq!(from_to!(flattened, flattened), []);
    assert_eq!(from_to!(flattened, flattened_fewer), [Unreadable]);
    Ok(())
}
