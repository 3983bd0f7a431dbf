use serde_json::Value;

/// Content that may have been recorded, made from a schema.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Content {
    pub(super) value: Value,
    /// Where the largest or smallest of a number stands, which may well be what no application has ever
    /// recorded: the names and indexes that lead to it.
    pub(super) extreme: Option<Vec<String>>,
}

impl Content {
    pub(super) fn usual(value: Value) -> Self {
        Self { value, extreme: None }
    }

    pub(super) fn extreme(value: Value) -> Self {
        Self { value, extreme: Some(Vec::new()) }
    }

    /// Other content that this is a part of, under this name.
    pub(super) fn within(&self, name: &str, value: Value) -> Self {
        let lead = |place: &Vec<String>| std::iter::once(name.to_owned()).chain(place.clone()).collect();
        Self { value, extreme: self.extreme.as_ref().map(lead) }
    }
}
