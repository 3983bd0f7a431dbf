//! Changes of a field: what loses what was recorded is found, what does not is only recorded.

use diesel_event_store::schema_lock::FindingKind::{Changed, Dropped, Narrowed, Unreadable};
use diesel_event_store::schema_lock::{Mode, shapes};

use super::lock::{Lock, Result, from_to, release};

release!(first: struct { cents: u64, note: Option<String> });

#[test]
fn nothing_is_found_in_what_has_not_changed() -> Result {
    assert_eq!(from_to!(first, first), []);
    Ok(())
}

release!(reordered: #[schemars(title = "Money")] struct { #[doc = "If any."] note: Option<String>, cents: u64 });

#[test]
fn the_order_of_fields_and_their_descriptions_say_nothing() -> Result {
    assert_eq!(from_to!(first, reordered), []);
    Ok(())
}

release!(removed: struct { cents: u64 });
release!(removed_required: struct { note: Option<String> });

#[test]
fn a_removed_field_is_found() -> Result {
    assert_eq!(from_to!(first, removed), [Dropped]);
    assert_eq!(from_to!(first, removed_required), [Dropped]);
    Ok(())
}

release!(renamed: struct { amount: u64, note: Option<String> });
release!(renamed_optional: struct { cents: u64, remark: Option<String> });

#[test]
fn a_renamed_field_is_found() -> Result {
    assert_eq!(from_to!(first, renamed), [Unreadable]);
    assert_eq!(from_to!(first, renamed_optional), [Dropped]);
    Ok(())
}

release!(aliased: struct { #[serde(alias = "cents")] amount: u64, #[serde(alias = "note")] remark: Option<String> });

#[test]
fn a_renamed_field_that_is_read_by_its_old_name_passes() -> Result {
    assert_eq!(from_to!(first, aliased), [Changed]);
    Ok(())
}

release!(without_alias: struct { amount: u64, #[serde(alias = "note")] remark: Option<String> });

/// The second release may run for years; what the first has recorded is there all the same.
#[test]
fn what_an_earlier_release_has_written_is_still_to_be_read() -> Result {
    let lock = Lock::of::<first::Events>()?;
    lock.run(Mode::Update, [shapes::<aliased::Events>()])?;
    assert_eq!(lock.finds::<without_alias::Events>(), [Unreadable]);
    Ok(())
}

release!(flag: struct { #[serde(default)] is_gift: bool });
release!(aliased_flag: struct { #[serde(default, alias = "is_gift")] is_present: bool });

#[test]
fn an_alias_of_what_has_a_default_passes() -> Result {
    assert_eq!(from_to!(flag, aliased_flag), [Changed]);
    Ok(())
}

release!(retyped: struct { cents: String, note: Option<String> });

#[test]
fn a_field_of_another_type_is_found() -> Result {
    assert_eq!(from_to!(first, retyped), [Unreadable]);
    assert_eq!(from_to!(retyped, first), [Unreadable]);
    Ok(())
}

release!(narrowed: struct { cents: u32, note: Option<String> });
release!(signed: struct { cents: i64, note: Option<String> });

#[test]
fn a_narrower_number_is_found_and_a_wider_one_passes() -> Result {
    assert_eq!(from_to!(first, narrowed), [Unreadable]);
    assert_eq!(from_to!(first, signed), [Unreadable], "it has another half");
    assert_eq!(from_to!(narrowed, first), [Changed]);
    assert_eq!(from_to!(narrowed, signed), [Changed]);
    Ok(())
}

release!(precise: struct { share: f64 });
release!(rough: struct { share: f32 });
release!(whole: struct { share: i64 });

#[test]
fn a_less_exact_number_is_found() -> Result {
    assert_eq!(from_to!(precise, rough), [Unreadable], "the largest are too large");
    assert_eq!(from_to!(precise, whole), [Unreadable]);
    assert_eq!(from_to!(rough, precise), [Changed]);
    Ok(())
}

release!(with_new: struct { cents: u64, note: Option<String>, currency: String });
release!(with_new_optional: struct { cents: u64, note: Option<String>, currency: Option<String> });
release!(with_default: struct { cents: u64, note: Option<String>, #[serde(default)] currency: String });

#[test]
fn a_new_field_is_found_if_it_is_required() -> Result {
    assert_eq!(from_to!(first, with_new), [Unreadable]);
    assert_eq!(from_to!(first, with_new_optional), [Changed]);
    assert_eq!(from_to!(first, with_default), [Changed]);
    Ok(())
}

release!(without_null: struct { cents: u64, #[serde(default)] note: String });

#[test]
fn a_lost_null_is_found() -> Result {
    assert_eq!(from_to!(first, without_null), [Unreadable]);
    assert_eq!(from_to!(without_null, first), [Changed]);
    Ok(())
}

release!(strict: #[serde(deny_unknown_fields)] struct { cents: u64 });

#[test]
fn a_removed_field_that_is_refused_is_found() -> Result {
    assert_eq!(from_to!(first, strict), [Unreadable]);
    Ok(())
}

release!(nested: struct { lines: Vec<Line>, by_sku: BTreeMap<String, Line>, pair: (u8, Option<Line>) }
    #[derive(Serialize, Deserialize, JsonSchema)]
    pub struct Line { sku: String, quantity: u32 }
);
release!(less_nested: struct { lines: Vec<Line>, by_sku: BTreeMap<String, Line>, pair: (u8, Option<Line>) }
    #[derive(Serialize, Deserialize, JsonSchema)]
    pub struct Line { sku: String }
);
release!(less_in_the_pair: struct { lines: Vec<Line>, by_sku: BTreeMap<String, Line>, pair: (u8, Option<Less>) }
    #[derive(Serialize, Deserialize, JsonSchema)]
    pub struct Line { sku: String, quantity: u32 }
    #[derive(Serialize, Deserialize, JsonSchema)]
    pub struct Less { sku: String }
);
release!(other_pair: struct { lines: Vec<Line>, by_sku: BTreeMap<String, Line>, pair: (u8, Line) }
    #[derive(Serialize, Deserialize, JsonSchema)]
    pub struct Line { sku: String, quantity: u32 }
);

#[test]
fn a_field_within_lists_maps_and_tuples_is_found() -> Result {
    assert_eq!(from_to!(nested, nested), []);
    assert_eq!(from_to!(nested, less_nested), [Dropped]);
    assert_eq!(from_to!(nested, less_in_the_pair), [Dropped]);
    assert_eq!(from_to!(nested, other_pair), [Unreadable]);
    Ok(())
}

release!(tree: struct { name: String, children: Vec<Content>, parent: Option<Box<Content>> });
release!(smaller_tree: struct { name: String, children: Vec<Content> });

#[test]
fn a_type_that_contains_itself_is_compared_as_well() -> Result {
    assert_eq!(from_to!(tree, tree), []);
    assert_eq!(from_to!(tree, smaller_tree), [Dropped]);
    Ok(())
}

release!(flattened: struct { cents: u64, #[serde(flatten)] more: More }
    #[derive(Serialize, Deserialize, JsonSchema)]
    pub struct More { note: Option<String> }
);
release!(lists: struct { four: [u8; 4], ids: BTreeMap<u32, bool>, anything: serde_json::Value, letter: char });

#[test]
fn other_ways_to_write_the_same_fields_pass() -> Result {
    assert_eq!(from_to!(first, flattened), []);
    assert_eq!(from_to!(lists, lists), []);
    Ok(())
}

release!(as_integers: struct { cents: u64, rates: Vec<i64>, place: i32 });
release!(in_floats: struct { cents: f64, rates: Vec<i64>, place: i32 });
release!(with_floats: struct { cents: u64, rates: Vec<f32>, place: i32 });
release!(place_in_floats: struct { cents: u64, rates: Vec<i64>, place: f64 });

#[test]
fn a_number_that_is_read_as_another_is_found() -> Result {
    assert_eq!(from_to!(as_integers, in_floats), [Narrowed]);
    assert_eq!(from_to!(as_integers, with_floats), [Narrowed]);
    assert_eq!(from_to!(as_integers, place_in_floats), [Changed], "an f64 has every i32");
    let said = super::lock::Lock::of::<as_integers::Events>()?.says::<in_floats::Events>();
    assert!(said.contains("/cents as 1.8446744073709552e"), "{said}");
    Ok(())
}

// What serde has to buffer is read as infinite, and written as `null`.
release!(shares: struct { #[serde(flatten)] shares: Shares }
    #[derive(Serialize, Deserialize, JsonSchema)]
    pub struct Shares { list: Vec<f64>, pair: (u8, f64), by_name: BTreeMap<String, f64> }
);
release!(rough_list: struct { #[serde(flatten)] shares: Shares }
    #[derive(Serialize, Deserialize, JsonSchema)]
    pub struct Shares { list: Vec<f32>, pair: (u8, f64), by_name: BTreeMap<String, f64> }
);
release!(rough_pair: struct { #[serde(flatten)] shares: Shares }
    #[derive(Serialize, Deserialize, JsonSchema)]
    pub struct Shares { list: Vec<f64>, pair: (u8, f32), by_name: BTreeMap<String, f64> }
);
release!(rough_map: struct { #[serde(flatten)] shares: Shares }
    #[derive(Serialize, Deserialize, JsonSchema)]
    pub struct Shares { list: Vec<f64>, pair: (u8, f64), by_name: BTreeMap<String, f32> }
);
release!(one: #[serde(untagged)] enum { Share(f64) });
release!(rough_one: #[serde(untagged)] enum { Share(f32) });

#[test]
fn a_number_that_becomes_null_is_found_wherever_it_is() -> Result {
    assert_eq!(from_to!(shares, shares), []);
    assert_eq!(from_to!(shares, rough_list), [Narrowed]);
    assert_eq!(from_to!(shares, rough_pair), [Narrowed]);
    assert_eq!(from_to!(shares, rough_map), [Narrowed]);
    assert_eq!(from_to!(one, rough_one), [Narrowed]);
    let said = super::lock::Lock::of::<one::Events>()?.says::<rough_one::Events>();
    assert!(said.contains("the value itself as null"), "{said}");
    Ok(())
}

release!(wide: struct { cents: u128, change: i128, rates: Vec<u128> });
release!(less_wide: struct { cents: u64, change: i128, rates: Vec<u128> });
release!(less_wide_change: struct { cents: u128, change: i64, rates: Vec<u128> });
release!(less_wide_rates: struct { cents: u128, change: i128, rates: Vec<u64> });
release!(wide_and_renamed: struct { #[serde(alias = "cents")] amount: u128, change: i128, rates: Vec<u128> });
release!(wide_without_change: struct { cents: u128, rates: Vec<u128> });

#[test]
fn fewer_than_128_bits_are_found() -> Result {
    assert_eq!(from_to!(wide, wide), []);
    assert_eq!(from_to!(wide, less_wide), [Unreadable]);
    assert_eq!(from_to!(wide, less_wide_change), [Unreadable]);
    assert_eq!(from_to!(wide, less_wide_rates), [Unreadable]);
    assert_eq!(from_to!(less_wide, wide), [Changed]);
    assert_eq!(from_to!(wide, wide_and_renamed), [Changed]);
    assert_eq!(from_to!(wide, wide_without_change), [Dropped]);
    let said = super::lock::Lock::of::<wide::Events>()?.says::<less_wide::Events>();
    assert!(said.contains("\"cents\":340282366920938463463374607431768211455"), "{said}");
    Ok(())
}

release!(signed_keys: struct { by_place: BTreeMap<i32, bool> });
release!(keys: struct { by_place: BTreeMap<u32, bool> });
release!(text_keys: struct { by_place: BTreeMap<String, bool> });

#[test]
fn keys_that_cannot_be_negative_any_more_are_found() -> Result {
    assert_eq!(from_to!(signed_keys, signed_keys), []);
    assert_eq!(from_to!(signed_keys, keys), [Unreadable]);
    assert_eq!(from_to!(keys, signed_keys), [Changed]);
    assert_eq!(from_to!(signed_keys, text_keys), [Changed]);
    Ok(())
}

// Their own types refuse or change what their schemas allow.
release!(timed: struct { at: std::time::SystemTime, took: std::time::Duration });
release!(noted: struct { at: std::time::SystemTime, took: std::time::Duration, note: Option<String> });
release!(other_time: struct { at: std::time::SystemTime, took: u64 });

#[test]
fn a_number_that_its_own_type_has_never_read_is_passed_over() -> Result {
    assert_eq!(from_to!(timed, timed), []);
    assert_eq!(from_to!(timed, noted), [Changed]);
    assert_eq!(from_to!(timed, other_time), [Unreadable]);
    Ok(())
}
