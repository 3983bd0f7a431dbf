use serde_json::Value;

/// A field somewhere in a JSON value.
pub(super) struct Field<'a> {
    /// The names and indexes that lead to it.
    pub(super) place: Vec<&'a str>,
    pub(super) value: &'a Value,
}

/// Only the first item of a list: contents that are tried have equal ones.
const FIRST: &str = "0";

/// Of all objects in the value, the outer ones first.
pub(super) fn fields(value: &Value) -> Vec<Field<'_>> {
    let mut fields = Vec::new();
    collect(value, &[], &mut fields);
    fields
}

fn collect<'a>(value: &'a Value, place: &[&'a str], fields: &mut Vec<Field<'a>>) {
    let within = |name: &'a str| place.iter().copied().chain([name]).collect::<Vec<_>>();
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                fields.push(Field { place: within(name), value });
                collect(value, &within(name), fields);
            }
        }
        Value::Array(items) => {
            if let Some(first) = items.first() {
                collect(first, &within(FIRST), fields);
            }
        }
        _ => {}
    }
}

impl Field<'_> {
    pub(super) fn pointer(&self) -> String {
        self.place.iter().map(|part| format!("/{}", part.replace('~', "~0").replace('/', "~1"))).collect()
    }

    pub(super) fn removed_from(&self, value: &Value) -> Value {
        let mut value = value.clone();
        if let Some((name, outer)) = self.place.split_last() {
            let outer = Field { place: outer.to_vec(), value: self.value }.pointer();
            if let Some(members) = value.pointer_mut(&outer).and_then(Value::as_object_mut) {
                members.remove(*name);
            }
        }
        value
    }
}
