use std::collections::BTreeSet;

use serde_json::Value;

/// What differs between two schemas, a line each: what is gone after `-`, what is new after `+`.
pub(super) fn changes(old: &Value, new: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    compare(String::new(), old, new, &mut lines);
    lines
}

fn compare(place: String, old: &Value, new: &Value, lines: &mut Vec<String>) {
    let (Some(olds), Some(news)) = (old.as_object(), new.as_object()) else {
        if old != new {
            lines.extend([format!("- {place}: {old}"), format!("+ {place}: {new}")]);
        }
        return;
    };
    let keywords: BTreeSet<&String> = olds.keys().chain(news.keys()).collect();
    for keyword in keywords {
        let place = if place.is_empty() { keyword.clone() } else { format!("{place}.{keyword}") };
        match (old.get(keyword), new.get(keyword)) {
            (Some(old), Some(new)) => compare(place, old, new, lines),
            (Some(old), None) => lines.push(format!("- {place}: {old}")),
            (_, new) => lines.extend(new.map(|new| format!("+ {place}: {new}"))),
        }
    }
}
