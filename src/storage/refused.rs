use diesel::result::Error;
#[cfg(any(feature = "sqlite", feature = "_postgres"))]
use diesel::result::QueryResult;

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

    /// A row was not written, and nothing else has kept it from being written.
    pub(crate) fn dropped_by_trigger(what: &str) -> Error {
        let reason = format!("a trigger has kept {what} out of its table");
        Self::error(DatabaseErrorKind::UnsuitableSetting, reason)
    }

    /// So many events of a batch were written.
    #[cfg(any(feature = "sqlite", feature = "_postgres"))]
    pub(crate) fn unless_all(events: usize, written: usize) -> QueryResult<()> {
        match events - written {
            0 => Ok(()),
            dropped => Err(Self::dropped_by_trigger(&format!("{dropped} of {events} events"))),
        }
    }

    /// The reader cannot find out which appends are under way, and no position was published for it.
    #[cfg(any(feature = "_postgres", feature = "_mysql"))]
    pub(crate) fn not_published() -> Error {
        Self::error(DatabaseErrorKind::NotPublished, "no position is published")
    }
}
