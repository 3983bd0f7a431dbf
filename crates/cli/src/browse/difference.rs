use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// A value of a payload that the one before does not have so.
#[derive(Debug, PartialEq, Eq)]
pub struct Change {
    /// The names of the fields and the numbers of the items that lead to it.
    pub path: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// The way to each value, and its text as it was recorded.
type Leaves = BTreeMap<Vec<String>, String>;

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

fn change(path: Vec<String>, before: Option<String>, after: Option<String>) -> Change {
    let path = if path.is_empty() { "the value".to_owned() } else { path.join(" › ") };
    Change { path, before, after }
}

fn leaves(json: &str) -> Leaves {
    let mut leaves = Leaves::new();
    collect(Vec::new(), json, &mut leaves);
    leaves
}

/// What has no parts, or is no JSON, is a value.
fn collect(path: Vec<String>, json: &str, leaves: &mut Leaves) {
    let parts = parts(json);
    if parts.is_empty() {
        leaves.insert(path, json.trim().to_owned());
        return;
    }
    for (name, part) in parts {
        let mut path = path.clone();
        path.push(name);
        collect(path, part.get(), leaves);
    }
}

fn parts(json: &str) -> Vec<(String, &RawValue)> {
    if let Ok(fields) = serde_json::from_str::<BTreeMap<String, &RawValue>>(json) {
        return fields.into_iter().collect();
    }
    let items: Vec<&RawValue> = serde_json::from_str(json).unwrap_or_default();
    items.into_iter().enumerate().map(|(at, item)| (at.to_string(), item)).collect()
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
            r#"a › b › 1 Some("2") Some("3")"#,
            r#"a › b › 2 None Some("4")"#,
            r#"e None Some("null")"#,
            r#"c Some("\"x\"") None"#,
        ];
        assert_eq!(told(before, after), expected);
        assert_eq!(told(before, before), [""; 0]);
    }

    #[test]
    fn digits_count_and_what_has_no_parts_is_compared_as_a_whole() {
        assert_eq!(told(r#"{"n":1e400}"#, r#"{"n":1e401}"#), [r#"n Some("1e400") Some("1e401")"#]);
        assert_eq!(told("1", "[2]"), [r#"0 None Some("2")"#, r#"the value Some("1") None"#]);
        assert_eq!(
            told(r#"{"a.b":1,"a":{"b":2}}"#, r#"{"a.b":2,"a":{"b":2}}"#),
            [r#"a.b Some("1") Some("2")"#]
        );
    }
}
