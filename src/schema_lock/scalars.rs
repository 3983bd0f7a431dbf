use serde_json::{Value, json};

use super::content::Content;
use super::node::Node;

/// A text as the samples have it, or one of the format.
pub(super) fn text(node: Node<'_>, samples: &[&Value]) -> Value {
    if let Some(sample) = samples.iter().find(|sample| sample.is_string()) {
        return (*sample).clone();
    }
    let format = node.get("format").and_then(Value::as_str);
    match format.and_then(of_format) {
        Some(text) => text.into(),
        // Mostly of decimal numbers.
        None if node.get("pattern").is_some() => "1".into(),
        None => of_length(node).into(),
    }
}

fn of_format(format: &str) -> Option<&'static str> {
    Some(match format {
        "uuid" => "01928374-5b6c-7d8e-9f01-23456789abcd",
        "date-time" => "2026-01-02T03:04:05Z",
        "partial-date-time" => "2026-01-02T03:04:05",
        "date" => "2026-01-02",
        "time" => "03:04:05Z",
        "partial-time" => "03:04:05",
        "duration" => "PT1S",
        "ip" | "ipv4" => "192.0.2.1",
        "ipv6" => "2001:db8::1",
        "uri" => "https://example.com/",
        _ => return None,
    })
}

fn of_length(node: Node<'_>) -> String {
    let length = |keyword: &str| {
        node.get(keyword).and_then(Value::as_u64).map(|length| usize::try_from(length).unwrap_or(usize::MAX))
    };
    let usual = "text".chars().cycle();
    usual
        .take(length("minLength").unwrap_or(0).max(4).min(length("maxLength").unwrap_or(usize::MAX)))
        .collect()
}

/// One, and the extremes.
pub(super) fn integers(node: Node<'_>) -> Vec<Content> {
    let format = node.get("format").and_then(Value::as_str).unwrap_or("int64");
    let (mut lowest, mut highest) = range(format);
    lowest = lowest.max(bound(node, "minimum", 0).or(bound(node, "exclusiveMinimum", 1)).unwrap_or(lowest));
    highest =
        highest.min(bound(node, "maximum", 0).or(bound(node, "exclusiveMaximum", -1)).unwrap_or(highest));
    let usual = 1.max(lowest).min(highest);
    let extremes = [lowest, highest].into_iter().filter(|extreme| *extreme != usual);
    let extremes = extremes.map(|extreme| Content::extreme(integer(extreme)));
    [Content::usual(integer(usual))].into_iter().chain(extremes).chain(wide_integers(node, format)).collect()
}

/// The extremes of 128 bits.
fn wide_integers(node: Node<'_>, format: &str) -> Vec<Content> {
    let is_bounded = ["maximum", "exclusiveMaximum"].iter().any(|keyword| node.get(keyword).is_some());
    match format {
        "uint128" if !is_bounded => vec![Content::wide(u128::MAX)],
        "int128" if !is_bounded => vec![Content::wide(i128::MIN), Content::wide(i128::MAX)],
        _ => Vec::new(),
    }
}

/// No more than 64 bits, which is what `serde_json` keeps in a value.
fn range(format: &str) -> (i128, i128) {
    match format {
        "int8" => (i8::MIN.into(), i8::MAX.into()),
        "int16" => (i16::MIN.into(), i16::MAX.into()),
        "int32" => (i32::MIN.into(), i32::MAX.into()),
        "uint8" => (0, u8::MAX.into()),
        "uint16" => (0, u16::MAX.into()),
        "uint32" => (0, u32::MAX.into()),
        "uint64" | "uint128" | "uint" => (0, u64::MAX.into()),
        _ => (i64::MIN.into(), i64::MAX.into()),
    }
}

fn bound(node: Node<'_>, keyword: &str, step: i128) -> Option<i128> {
    let bound = node.get(keyword)?;
    let bound = bound.as_i64().map(i128::from).or(bound.as_u64().map(i128::from))?;
    Some(bound + step)
}

fn integer(value: i128) -> Value {
    i64::try_from(value)
        .map(Value::from)
        .unwrap_or_else(|_| u64::try_from(value).map_or(json!(1), Value::from))
}

/// One with a fraction, and the extremes.
pub(super) fn numbers(node: Node<'_>) -> Vec<Content> {
    let extreme = match node.get("format").and_then(Value::as_str) {
        Some("float") => f64::from(f32::MAX),
        _ => f64::MAX,
    };
    let bound = |keyword: &str| node.get(keyword).and_then(Value::as_f64);
    let (lowest, highest) = (bound("minimum").unwrap_or(-extreme), bound("maximum").unwrap_or(extreme));
    let usual = Content::usual(json!(1.5_f64.max(lowest).min(highest)));
    vec![usual, Content::extreme(json!(lowest)), Content::extreme(json!(highest))]
}
