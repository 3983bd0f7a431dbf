use serde_json::Value;

/// The lists that are sets: they say the same in any order.
const SETS: [&str; 5] = ["required", "enum", "type", "oneOf", "anyOf"];

/// The same schema, whatever the order of fields and variants in the code.
pub(super) fn sorted(schema: Value) -> Value {
    match schema {
        Value::Object(entries) => {
            let mut entries: Vec<_> = entries.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            entries.sort_by(|(one, _), (other, _)| one.cmp(other));
            entries.into_iter().map(|(key, value)| entry(key, value)).collect()
        }
        Value::Array(values) => values.into_iter().map(sorted).collect(),
        plain => plain,
    }
}

fn entry(key: String, mut value: Value) -> (String, Value) {
    if let (true, Value::Array(values)) = (SETS.contains(&key.as_str()), &mut value) {
        values.sort_by_key(Value::to_string);
    }
    (key, value)
}
