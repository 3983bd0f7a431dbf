use std::collections::{BTreeMap, HashMap};
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A value of a payload that the one before does not have so.
#[derive(Debug, PartialEq, Eq)]
pub struct Change {
    /// The names of the fields and the numbers of the items that lead to it.
    pub path: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// A part of an object or of an array. The same name can come several times: it is counted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Field(String, usize),
    Item(usize),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name, 0) => f.write_str(name),
            Self::Field(name, before) => write!(f, "{name} ({})", before + 1),
            Self::Item(at) => write!(f, "[{at}]"),
        }
    }
}

/// The way to each value, and its text as it was recorded.
type Leaves = BTreeMap<Vec<Step>, String>;

/// What changed between two payloads. Values are compared as texts, so `1.0` and `1` differ.
pub fn changes(before: &str, after: &str) -> Vec<Change> {
    let (mut before, after) = (leaves(before), leaves(after));
    let mut changes = Vec::new();
    for (path, value) in after {
        let old = before.remove(&path);
        if old.as_ref() != Some(&value) {
            changes.push(change(path, old, Some(value)));
        }
    }
    changes.extend(before.into_iter().map(|(path, old)| change(path, Some(old), None)));
    changes
}

fn change(path: Vec<Step>, before: Option<String>, after: Option<String>) -> Change {
    let steps: Vec<_> = path.iter().map(Step::to_string).collect();
    let path = if steps.is_empty() { "the value".to_owned() } else { steps.join(" › ") };
    Change { path, before, after }
}

fn leaves(json: &str) -> Leaves {
    let mut leaves = Leaves::new();
    collect(Vec::new(), json, &mut leaves);
    leaves
}

/// What has no parts, or is no JSON, is a value.
fn collect(path: Vec<Step>, json: &str, leaves: &mut Leaves) {
    let parts = parts(json);
    if parts.is_empty() {
        leaves.insert(path, json.trim().to_owned());
        return;
    }
    for (step, part) in parts {
        let mut path = path.clone();
        path.push(step);
        collect(path, part.get(), leaves);
    }
}

fn parts(json: &str) -> Vec<(Step, &RawValue)> {
    if let Ok(Fields(fields)) = serde_json::from_str(json) {
        let mut counts = HashMap::new();
        let count = |(name, part): (String, _)| {
            let before = counts.entry(name.clone()).or_insert(0);
            *before += 1;
            (Step::Field(name, *before - 1), part)
        };
        return fields.into_iter().map(count).collect();
    }
    let items: Vec<&RawValue> = serde_json::from_str(json).unwrap_or_default();
    items.into_iter().enumerate().map(|(at, item)| (Step::Item(at), item)).collect()
}

/// Those of an object, each as often as it is there.
struct Fields<'j>(Vec<(String, &'j RawValue)>);

impl<'j> Deserialize<'j> for Fields<'j> {
    fn deserialize<D: Deserializer<'j>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_map(EachField)
    }
}

struct EachField;

impl<'j> Visitor<'j> for EachField {
    type Value = Fields<'j>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'j>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = object.next_entry()? {
            fields.push(field);
        }
        Ok(Fields(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(before: &str, after: &str) -> Vec<String> {
        let told = |change: Change| format!("{} {:?} {:?}", change.path, change.before, change.after);
        changes(before, after).into_iter().map(told).collect()
    }

    #[test]
    fn values_that_differ_are_told_with_the_way_to_them() {
        let (before, after) =
            (r#"{"a":{"b":[1,2]},"c":"x","d":{}}"#, r#"{"a":{"b":[1,3,4]},"d":{},"e":null}"#);
        let expected = [
            r#"a › b › [1] Some("2") Some("3")"#,
            r#"a › b › [2] None Some("4")"#,
            r#"e None Some("null")"#,
            r#"c Some("\"x\"") None"#,
        ];
        assert_eq!(told(before, after), expected);
        assert_eq!(told(before, before), [""; 0]);
    }

    #[test]
    fn digits_count_and_what_has_no_parts_is_compared_as_a_whole() {
        assert_eq!(told(r#"{"n":1e400}"#, r#"{"n":1e401}"#), [r#"n Some("1e400") Some("1e401")"#]);
        assert_eq!(told("1", "[2]"), [r#"[0] None Some("2")"#, r#"the value Some("1") None"#]);
        assert_eq!(
            told(r#"{"a.b":1,"a":{"b":2}}"#, r#"{"a.b":2,"a":{"b":2}}"#),
            [r#"a.b Some("1") Some("2")"#]
        );
    }
    #[test]
    fn an_array_is_no_object_and_each_of_the_same_keys_counts() {
        let expected = [r#"[0] None Some("1")"#, r#"0 Some("1") None"#];
        assert_eq!(told(r#"{"0":1}"#, "[1]"), expected);
        assert_eq!(told(r#"{"a":1,"a":2}"#, r#"{"a":1}"#), [r#"a (2) Some("2") None"#]);
        assert_eq!(
            told(r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
            [r#"a Some("1") Some("2")"#, r#"a (2) Some("2") None"#]
        );
    }
}
