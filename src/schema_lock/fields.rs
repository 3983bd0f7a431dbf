use serde_json::Value;

/// A part of a JSON value, such as a field.
pub(super) struct Part<'a> {
    /// The names and indexes that lead to it.
    pub(super) place: Vec<String>,
    /// The names alone: the same for all items of a list.
    pub(super) names: Vec<&'a str>,
    pub(super) value: &'a Value,
    /// Whether it has a name.
    is_field: bool,
}

/// The fields of all objects in the value, the outer ones first.
pub(super) fn fields(value: &Value) -> impl Iterator<Item = Part<'_>> {
    values(value).into_iter().filter(|part| part.is_field)
}

/// The value and all that is in it, the outer parts first.
pub(super) fn values(value: &Value) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    collect(Part { place: Vec::new(), names: Vec::new(), value, is_field: false }, &mut parts);
    parts
}

fn collect<'a>(part: Part<'a>, parts: &mut Vec<Part<'a>>) {
    let (place, names, value) = (part.place.clone(), part.names.clone(), part.value);
    parts.push(part);
    let within = |step: String| place.iter().cloned().chain([step]).collect();
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let names = names.iter().copied().chain([name.as_str()]).collect();
                collect(Part { place: within(name.clone()), names, value, is_field: true }, parts);
            }
        }
        Value::Array(items) => {
            for (nth, value) in items.iter().enumerate() {
                let place = within(nth.to_string());
                collect(Part { place, names: names.clone(), value, is_field: false }, parts);
            }
        }
        _ => {}
    }
}

impl Part<'_> {
    pub(super) fn pointer(&self) -> String {
        pointer(&self.place)
    }

    pub(super) fn removed_from(&self, value: &Value) -> Value {
        let mut value = value.clone();
        if let Some((name, outer)) = self.place.split_last() {
            let outer = pointer(outer);
            if let Some(members) = value.pointer_mut(&outer).and_then(Value::as_object_mut) {
                members.remove(name);
            }
        }
        value
    }
}

pub(super) fn pointer(place: &[String]) -> String {
    place.iter().map(|part| format!("/{}", part.replace('~', "~0").replace('/', "~1"))).collect()
}
