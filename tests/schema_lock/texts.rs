//! Texts and numbers with rules of their own, which a schema does not tell.

use diesel_event_store::Event;
use diesel_event_store::schema_lock::FindingKind::{NotReadBack, Unreadable};
use diesel_event_store::schema_lock::{LockError, Mode, shapes};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::lock::{Lock, Result, kinds, release};

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[derive(Clone)]
pub struct Currency(#[schemars(with = "String")] String);

impl TryFrom<String> for Currency {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Self, String> {
        match text.as_str() {
            "EUR" | "USD" => Ok(Self(text)),
            _ => Err(format!("{text:?} is no currency")),
        }
    }
}

impl From<Currency> for String {
    fn from(Currency(text): Currency) -> Self {
        text
    }
}

#[derive(Event)]
#[event(lock)]
enum Payment {
    #[event(name = "Paid")]
    Paid { cents: u64, currencies: Vec<Currency>, note: Option<String> },
}

#[test]
fn a_text_with_rules_needs_a_sample() -> Result {
    let lock = Lock::new()?;
    assert_eq!(kinds(lock.run(Mode::Update, [shapes::<Payment>()])), [NotReadBack]);
    let said = lock.says::<Payment>();
    assert!(
        said.contains(r#""text" is no currency"#) && said.contains(r#".sample("Paid", 1, json!("#),
        "{said}"
    );

    let with_sample = || shapes::<Payment>().sample("Paid", 1, json!({ "cents": 7, "currencies": ["EUR"] }));
    lock.run(Mode::Update, [with_sample()])?;
    lock.run(Mode::Check, [with_sample()])?;
    Ok(())
}

#[test]
fn a_sample_is_tried_itself() -> Result {
    let lock = Lock::new()?;
    let wrong = shapes::<Payment>().sample("Paid", 1, json!({ "cents": "7", "currencies": ["EUR"] }));
    assert_eq!(kinds(lock.run(Mode::Update, [wrong])), [NotReadBack]);
    Ok(())
}

#[test]
fn a_sample_for_nothing_is_refused() -> Result {
    let lock = Lock::new()?;
    for (name, version) in [("Unpaid", 1), ("Paid", 2)] {
        let refused = lock.run(Mode::Update, [shapes::<Payment>().sample(name, version, json!({}))]);
        let Err(LockError::UnknownSample { name: told, version: of, .. }) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!((told.as_str(), of), (name, version));
    }
    Ok(())
}

#[derive(Event)]
#[event(lock)]
enum Usual {
    #[event(name = "Measured")]
    Measured {
        account: std::num::NonZeroI16,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(range(min = 1, max = 100))]
        percent: Option<Percent>,
        address: std::net::IpAddr,
    },
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "u8")]
pub struct Percent(u8);

impl TryFrom<u8> for Percent {
    type Error = String;

    fn try_from(percent: u8) -> std::result::Result<Self, String> {
        (1..=100)
            .contains(&percent)
            .then_some(Self(percent))
            .ok_or_else(|| format!("{percent} is no percentage"))
    }
}

#[test]
fn usual_formats_and_ranges_are_understood() -> Result {
    assert_eq!(Lock::of::<Usual>()?.finds::<Usual>(), []);
    Ok(())
}

release!(text: struct { id: String });
release!(number_as_text: struct { #[schemars(with = "String")] id: std::num::NonZeroU8 });

#[test]
fn a_text_that_gets_rules_is_found() -> Result {
    let lock = Lock::of::<text::Events>()?;
    assert_eq!(lock.finds::<number_as_text::Events>(), [Unreadable]);
    Ok(())
}

mod as_text {
    use serde::de::{Deserialize, Deserializer, Error};
    use serde::ser::Serializer;

    pub fn serialize<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[derive(Event)]
#[event(lock)]
enum Counted {
    #[event(name = "Counted")]
    To(
        #[serde(with = "as_text")]
        #[schemars(with = "String")]
        u64,
    ),
}

#[test]
fn a_value_has_the_shape_that_its_attributes_give_it() -> Result {
    let (lock, counted) = (Lock::new()?, || shapes::<Counted>().sample("Counted", 1, json!("7")));
    lock.run(Mode::Update, [counted()])?;
    lock.run(Mode::Check, [counted()])?;
    assert!(lock.text()?.contains(r#""type": "string""#), "{}", lock.text()?);
    Ok(())
}
