use serde_json::{Map, Value};

/// A place in a schema, with the whole of it, which references lead to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node<'a> {
    root: &'a Value,
    pub(super) schema: &'a Value,
}

impl<'a> Node<'a> {
    pub(super) fn root(root: &'a Value) -> Self {
        Self { root, schema: root }
    }

    pub(super) fn at(self, schema: &'a Value) -> Self {
        Self { root: self.root, schema }
    }

    pub(super) fn get(self, keyword: &str) -> Option<&'a Value> {
        self.schema.get(keyword)
    }

    /// The schemas in a list, as of `oneOf`.
    pub(super) fn list(self, keyword: &str) -> impl Iterator<Item = Self> + use<'a> {
        let list = self.get(keyword).and_then(Value::as_array);
        list.into_iter().flatten().map(move |schema| self.at(schema))
    }

    pub(super) fn properties(self) -> impl Iterator<Item = (&'a String, Self)> {
        self.map("properties").into_iter().flatten().map(move |(name, schema)| (name, self.at(schema)))
    }

    fn map(self, keyword: &str) -> Option<&'a Map<String, Value>> {
        self.get(keyword).and_then(Value::as_object)
    }

    /// The schemas of the entries of a map, with a key that fits.
    pub(super) fn entries(self) -> impl Iterator<Item = (&'static str, Self)> {
        let any = self.get("additionalProperties").filter(|schema| **schema != Value::Bool(false));
        let any = any.map(|schema| ("key", schema));
        let by_pattern = self.map("patternProperties").into_iter().flatten();
        // Mostly of numbers.
        let by_pattern =
            by_pattern.flat_map(|(pattern, schema)| keys_of(pattern).iter().map(move |key| (*key, schema)));
        any.into_iter().chain(by_pattern).map(move |(key, schema)| (key, self.at(schema)))
    }

    pub(super) fn requires(self, property: &str) -> bool {
        let required = self.get("required").and_then(Value::as_array);
        required.is_some_and(|names| names.iter().any(|name| name == property))
    }

    /// Where a reference leads: `#` or `#/$defs/Name`.
    pub(super) fn target(self, reference: &str) -> Option<Self> {
        self.root.pointer(reference.strip_prefix('#')?).map(|schema| self.at(schema))
    }

    /// Whether a value of this schema may have something at this place, given as the parts of a JSON pointer.
    pub(super) fn declares(self, place: &[String]) -> bool {
        let Some((first, rest)) = place.split_first() else { return true };
        if self.schema == &Value::Bool(true) {
            return true;
        }
        self.parts(first).any(|part| part.declares(rest))
            || self.alternatives().any(|one| one.declares(place))
    }

    /// What is said about a value at this place, given as the parts of a JSON pointer.
    pub(super) fn schemas_at(self, place: &[String]) -> Vec<&'a Value> {
        let here = match place.split_first() {
            None => vec![self.schema],
            Some((first, rest)) => self.parts(first).flat_map(|part| part.schemas_at(rest)).collect(),
        };
        here.into_iter().chain(self.alternatives().flat_map(|one| one.schemas_at(place))).collect()
    }

    fn parts(self, name: &str) -> impl Iterator<Item = Self> {
        let property = self.get("properties").and_then(|properties| properties.get(name));
        let nth = name.parse::<usize>().ok();
        let item = nth.and_then(|nth| self.list("prefixItems").nth(nth));
        let items = self.get("items").filter(|_| nth.is_some()).map(|schema| self.at(schema));
        let entries = self.entries().map(|(_, entry)| entry);
        property.map(|schema| self.at(schema)).into_iter().chain(item).chain(items).chain(entries)
    }

    fn alternatives(self) -> impl Iterator<Item = Self> {
        let target = self.get("$ref").and_then(Value::as_str).and_then(|reference| self.target(reference));
        let lists = ["oneOf", "anyOf", "allOf"].into_iter();
        target.into_iter().chain(lists.flat_map(move |keyword| self.list(keyword)))
    }
}

fn keys_of(pattern: &str) -> &'static [&'static str] {
    if pattern.starts_with("^-?") { &["1", "-1"] } else { &["1"] }
}
