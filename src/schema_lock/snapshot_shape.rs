use serde_json::Value;

/// What the state of an aggregate is stored as.
#[derive(Debug, Clone)]
pub(super) struct SnapshotShape {
    pub(super) aggregate_type: &'static str,
    pub(super) version: i32,
    pub(super) schema: Value,
}
