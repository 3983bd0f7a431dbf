use serde_json::Value;

use super::fields::pointer;

/// Content that may have been recorded, made from a schema.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Content {
    pub(super) value: Value,
    pub(super) extreme: Option<Extreme>,
}

/// The largest or smallest of a number, which may well be what no application has ever recorded.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Extreme {
    /// Where it stands: the names and indexes that lead to it.
    pub(super) place: Vec<String>,
    /// Its digits, if they are more than a value of `serde_json` keeps.
    digits: Option<String>,
}

/// Stands for a number while the rest is written. No text of a schema or a sample is the same.
const MARK: &str = "\u{0}digits";

impl Content {
    pub(super) fn usual(value: Value) -> Self {
        Self { value, extreme: None }
    }

    pub(super) fn extreme(value: Value) -> Self {
        Self { value, extreme: Some(Extreme { place: Vec::new(), digits: None }) }
    }

    /// A number of more than 64 bits.
    pub(super) fn wide(number: impl ToString) -> Self {
        let digits = number.to_string();
        let value = serde_json::from_str(&digits).unwrap_or_default();
        Self { value, extreme: Some(Extreme { place: Vec::new(), digits: Some(digits) }) }
    }

    /// Other content that this is a part of, under this name.
    pub(super) fn within(&self, name: &str, value: Value) -> Self {
        let lead = |Extreme { place, digits }: Extreme| Extreme {
            place: std::iter::once(name.to_owned()).chain(place).collect(),
            digits,
        };
        Self { value, extreme: self.extreme.clone().map(lead) }
    }

    /// The same with another value, as one that lacks a field.
    pub(super) fn with(&self, value: Value) -> Self {
        Self { value, extreme: self.extreme.clone() }
    }

    /// As it is recorded.
    pub(super) fn json(&self) -> String {
        let Some(Extreme { place, digits: Some(digits) }) = &self.extreme else {
            return self.value.to_string();
        };
        let mut value = self.value.clone();
        value.pointer_mut(&pointer(place)).into_iter().for_each(|number| *number = MARK.into());
        value.to_string().replace(&Value::from(MARK).to_string(), digits)
    }
}
