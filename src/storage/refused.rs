use diesel::result::Error;

use crate::storage::error_kind::DatabaseErrorKind;

/// What this crate refuses by itself, where the database would not. It travels as an error of diesel's, like
/// everything that goes wrong with a connection.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub(crate) struct Refused {
    pub(crate) kind: DatabaseErrorKind,
    reason: String,
}

impl Refused {
    pub(crate) fn error(kind: DatabaseErrorKind, reason: impl Into<String>) -> Error {
        Error::QueryBuilderError(Box::new(Self { kind, reason: reason.into() }))
    }

    /// The one row that says which log this is.
    pub(crate) fn without_log_row() -> Error {
        Self::error(DatabaseErrorKind::NeedsRepair, "event_log has no row")
    }

    /// The reader cannot find out which appends are under way, and no position was published for it.
    #[cfg(any(feature = "_postgres", feature = "_mysql"))]
    pub(crate) fn not_published() -> Error {
        Self::error(DatabaseErrorKind::NotPublished, "no position is published")
    }
}
