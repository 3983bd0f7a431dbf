use std::time::Instant;

use crate::model::partition::Partition;

/// A partition's row as the manager has seen it, and a time after that. Partitions that are taken together were
/// seen together, so they share what is read of the log since then.
pub(super) struct Seen {
    pub(super) partition: Partition,
    pub(super) at: Instant,
}
