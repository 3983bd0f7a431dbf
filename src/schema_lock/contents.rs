use serde_json::{Map, Value, json};

use super::content::Content;
use super::node::Node;
use super::scalars::{integers, numbers, text};

/// Contents that cover what the schema allows: all fields, only those that are required, and one by one each
/// alternative and the extremes of each number. A text is that of the samples, which are tried, too.
pub(super) fn contents(schema: &Value, samples: &[&Value]) -> Vec<Content> {
    let samples_first = samples.iter().map(|sample| Content::usual((*sample).clone()));
    samples_first.chain(Maker::default().of(Node::root(schema), samples)).collect()
}

struct Maker {
    /// The types that are being made: where one contains itself, it ends.
    open: Vec<String>,
}

impl Default for Maker {
    fn default() -> Self {
        Self { open: vec!["#".to_owned()] }
    }
}

impl Maker {
    /// The usual ones first, `null` last among them. None, if the only way is to go on for ever.
    fn of(&mut self, node: Node<'_>, samples: &[&Value]) -> Vec<Content> {
        let parts = self.parts(node, samples);
        let mut contents = parts.into_iter().reduce(combined).unwrap_or_else(anything);
        contents.sort_by_key(|content| (content.extreme.is_some(), content.value.is_null()));
        contents
    }

    /// What is said in different places about the same value.
    fn parts(&mut self, node: Node<'_>, samples: &[&Value]) -> Vec<Vec<Content>> {
        if node.schema == &Value::Bool(false) {
            return vec![Vec::new()];
        }
        let mut parts = Vec::new();
        if let Some(reference) = node.get("$ref").and_then(Value::as_str) {
            parts.push(self.referenced(node, reference, samples));
        }
        if let Some(value) = node.get("const") {
            return vec![vec![Content::usual(value.clone())]];
        }
        if let Some(values) = node.get("enum").and_then(Value::as_array) {
            return vec![values.iter().cloned().map(Content::usual).collect()];
        }
        parts.extend(self.by_type(node, samples));
        for keyword in ["oneOf", "anyOf"] {
            if node.get(keyword).is_some() {
                parts.push(node.list(keyword).flat_map(|one| self.of(one, samples)).collect());
            }
        }
        parts.extend(node.list("allOf").map(|part| self.of(part, samples)));
        parts
    }

    fn referenced(&mut self, node: Node<'_>, reference: &str, samples: &[&Value]) -> Vec<Content> {
        if self.open.iter().any(|open| open == reference) {
            return Vec::new();
        }
        let Some(target) = node.target(reference) else { return Vec::new() };
        self.open.push(reference.to_owned());
        let contents = self.of(target, samples);
        self.open.pop();
        contents
    }

    fn by_type(&mut self, node: Node<'_>, samples: &[&Value]) -> Option<Vec<Content>> {
        match node.get("type") {
            Some(Value::String(name)) => Some(self.of_type(name, node, samples)),
            Some(Value::Array(names)) => {
                let names = names.iter().filter_map(Value::as_str);
                Some(names.flat_map(|name| self.of_type(name, node, samples)).collect())
            }
            _ => node.get("properties").map(|_| self.object(node, samples)),
        }
    }

    fn of_type(&mut self, name: &str, node: Node<'_>, samples: &[&Value]) -> Vec<Content> {
        match name {
            "object" => self.object(node, samples),
            "array" => self.array(node, samples),
            "string" => vec![Content::usual(text(node, samples))],
            "integer" => integers(node),
            "number" => numbers(node),
            "boolean" => [true, false].map(|value| Content::usual(value.into())).into(),
            _ => vec![Content::usual(Value::Null)],
        }
    }

    fn object(&mut self, node: Node<'_>, samples: &[&Value]) -> Vec<Content> {
        let mut members = Vec::new();
        for (name, member) in node.properties() {
            let contents = self.of(member, &below(samples, name));
            match (contents.is_empty(), node.requires(name)) {
                (true, true) => return Vec::new(),
                (true, false) => {}
                (false, _) => members.push((name.clone(), contents)),
            }
        }
        let is_required = |name: &str| node.requires(name);
        let names: Vec<String> = members.iter().map(|(name, _)| name.clone()).collect();
        for (key, entry) in node.entries() {
            let key = key_of(samples, &names).unwrap_or(key);
            members.push((key.to_owned(), self.of(entry, &below(samples, key))));
        }
        members.retain(|(_, contents)| !contents.is_empty());
        variations(&members, is_required)
    }

    fn array(&mut self, node: Node<'_>, samples: &[&Value]) -> Vec<Content> {
        if node.get("prefixItems").is_some() {
            return self.tuple(node, samples);
        }
        let count = |keyword: &str| node.get(keyword).and_then(Value::as_u64);
        let (fewest, most) = (count("minItems").unwrap_or(0), count("maxItems").unwrap_or(u64::MAX));
        let item = node.get("items").map(|item| self.of(node.at(item), &below(samples, "0")));
        let length = usize::try_from(fewest.max(1)).unwrap_or(usize::MAX);
        let of_items = item
            .into_iter()
            .flatten()
            .filter(|_| most > 0)
            .map(|content| content.within("0", vec![content.value.clone(); length].into()));
        let empty = (fewest == 0).then(|| Content::usual(json!([])));
        of_items.chain(empty).collect()
    }

    fn tuple(&mut self, node: Node<'_>, samples: &[&Value]) -> Vec<Content> {
        let items = node.list("prefixItems").enumerate();
        let places: Vec<_> = items
            .map(|(nth, item)| (nth.to_string(), self.of(item, &below(samples, &nth.to_string()))))
            .collect();
        if places.iter().any(|(_, contents)| contents.is_empty()) {
            return Vec::new();
        }
        let as_array = |Content { value, extreme }| {
            let values = places.iter().map(|(nth, _)| value[nth].clone()).collect();
            Content { value: Value::Array(values), extreme }
        };
        variations(&places, |_| true).into_iter().map(as_array).collect()
    }
}

/// Objects with all members, one of which at a time is other than the first; and one with what is required
/// alone.
fn variations(members: &[(String, Vec<Content>)], is_required: impl Fn(&str) -> bool) -> Vec<Content> {
    let first = |(name, contents): &(String, Vec<Content>)| (name.clone(), contents[0].value.clone());
    let all: Map<String, Value> = members.iter().map(first).collect();
    let required: Map<String, Value> =
        members.iter().filter(|(name, _)| is_required(name)).map(first).collect();
    let others =
        members.iter().flat_map(|(name, contents)| contents[1..].iter().map(move |other| (name, other)));
    let others = others.map(|(name, other)| {
        let mut changed = all.clone();
        changed.insert(name.clone(), other.value.clone());
        other.within(name, changed.into())
    });
    let others: Vec<_> = others.collect();
    let mut contents = vec![Content::usual(all.clone().into())];
    if required != all {
        contents.push(Content::usual(required.into()));
    }
    contents.extend(others);
    contents
}

/// Each of either side, together with the first of the other.
fn combined(one: Vec<Content>, other: Vec<Content>) -> Vec<Content> {
    let (Some(first), Some(second)) = (one.first(), other.first()) else { return Vec::new() };
    let with_first = other.iter().map(|content| merged(first, content));
    let with_second = one[1..].iter().map(|content| merged(content, second));
    with_first.chain(with_second).collect()
}

fn merged(one: &Content, other: &Content) -> Content {
    let value = match (&one.value, &other.value) {
        (Value::Object(one), Value::Object(other)) => {
            one.iter().chain(other).map(|(name, value)| (name.clone(), value.clone())).collect()
        }
        (Value::Object(_), _) => one.value.clone(),
        _ => other.value.clone(),
    };
    Content { value, extreme: one.extreme.clone().or_else(|| other.extreme.clone()) }
}

fn anything() -> Vec<Content> {
    vec![Content::usual(json!({}))]
}

/// What the samples have at this place.
fn below<'a>(samples: &[&'a Value], name: &str) -> Vec<&'a Value> {
    let nth = name.parse::<usize>().ok();
    let part = |sample: &&'a Value| sample.get(name).or_else(|| nth.and_then(|nth| sample.get(nth)));
    samples.iter().filter_map(part).collect()
}

/// A key of a map in the samples.
fn key_of<'a>(samples: &[&'a Value], properties: &[String]) -> Option<&'a str> {
    let keys = samples.iter().filter_map(|sample| sample.as_object()).flat_map(Map::keys);
    keys.map(String::as_str).find(|key| !properties.iter().any(|name| name == key))
}
