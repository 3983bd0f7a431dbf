use super::projections::Projections;
use crate::storage::carry::{StreamStart, UsedKey};

/// What goes along with the events of a log.
pub(super) struct Rest {
    pub(super) starts: Vec<StreamStart>,
    pub(super) projections: Projections,
    pub(super) keys: Vec<UsedKey>,
}
