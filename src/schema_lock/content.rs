use serde_json::Value;

/// Content that may have been recorded, made from a schema.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Content {
    pub(super) value: Value,
    /// The largest or smallest of a number, which may well be what no application has ever recorded.
    pub(super) is_extreme: bool,
}

impl Content {
    pub(super) fn usual(value: Value) -> Self {
        Self { value, is_extreme: false }
    }

    pub(super) fn extreme(value: Value) -> Self {
        Self { value, is_extreme: true }
    }
}
