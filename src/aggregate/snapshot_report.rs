use crate::model::stream_id::StreamId;

/// What [`EventStore::verify_snapshots`](crate::EventStore::verify_snapshots) has found.
///
/// ```
/// use diesel_event_store::SnapshotReport;
///
/// fn summary(report: &SnapshotReport) -> String {
///     format!("{} of {} snapshots differ", report.differing().len(), report.checked())
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SnapshotReport {
    pub(super) checked: usize,
    pub(super) differing: Vec<StreamId>,
    pub(super) unusable: Vec<StreamId>,
}

impl SnapshotReport {
    /// How many snapshots were looked at.
    pub fn checked(&self) -> usize {
        self.checked
    }

    /// The streams whose snapshot is used, and says something else than their events.
    pub fn differing(&self) -> &[StreamId] {
        &self.differing
    }

    /// The streams whose snapshot cannot be read, or belongs to an event that is not there. It is not used.
    pub fn unusable(&self) -> &[StreamId] {
        &self.unusable
    }

    /// Whether no snapshot that is used differs.
    pub fn is_sound(&self) -> bool {
        self.differing.is_empty()
    }
}
