//! What SQLite's messages mean. diesel passes them on, but not the numbers that belong to them.

use diesel::result::{DatabaseErrorKind as DieselKind, Error};

use crate::storage::error_kind::DatabaseErrorKind;

const KINDS: &[(&str, DatabaseErrorKind)] = &[
    ("database is locked", DatabaseErrorKind::Locked),
    ("database table is locked", DatabaseErrorKind::Locked),
    ("database schema is locked", DatabaseErrorKind::Locked),
    ("no such table: events", DatabaseErrorKind::NotMigrated),
    ("no such table: aggregate_heads", DatabaseErrorKind::NotMigrated),
    ("no such table: append_keys", DatabaseErrorKind::NotMigrated),
    ("no such table: snapshots", DatabaseErrorKind::NotMigrated),
    ("no such table: projection_checkpoints", DatabaseErrorKind::NotMigrated),
    ("no such table: projection_workers", DatabaseErrorKind::NotMigrated),
    ("no such table: parked_events", DatabaseErrorKind::NotMigrated),
    ("no such table: event_seals", DatabaseErrorKind::NotMigrated),
    ("no such table: event_rewrites", DatabaseErrorKind::NotMigrated),
    ("no such table: event_log", DatabaseErrorKind::NotMigrated),
    ("attempt to write a readonly database", DatabaseErrorKind::ReadOnly),
    ("database or disk is full", DatabaseErrorKind::Full),
    ("database disk image is malformed", DatabaseErrorKind::Corrupt),
    ("file is not a database", DatabaseErrorKind::Corrupt),
    ("malformed database schema", DatabaseErrorKind::Corrupt),
    ("disk I/O error", DatabaseErrorKind::Io),
    ("unable to open database file", DatabaseErrorKind::Io),
    ("events is append-only", DatabaseErrorKind::AppendOnly),
    ("event_seals is append-only", DatabaseErrorKind::AppendOnly),
    ("event_rewrites is append-only", DatabaseErrorKind::AppendOnly),
    ("this event log is ", DatabaseErrorKind::LogClosed),
    ("UNIQUE constraint failed: events.tenant_id", DatabaseErrorKind::NeedsRepair),
    ("cannot start a transaction within a transaction", DatabaseErrorKind::ForeignTransaction),
];

pub(crate) fn classify(message: &str) -> Option<DatabaseErrorKind> {
    KINDS.iter().find(|(beginning, _)| message.starts_with(beginning)).map(|&(_, kind)| kind)
}

/// Whether SQLite may have rolled the whole transaction back with this message.
pub(super) fn has_rolled_back(message: &str) -> bool {
    use DatabaseErrorKind::{Corrupt, Full, Io};
    matches!(classify(message), Some(Full | Io | Corrupt))
}

/// The application has ended the savepoint, or the transaction around it.
pub(crate) fn is_missing_savepoint(message: &str) -> bool {
    message.starts_with("no such savepoint")
}

/// The kind and the name of what stands in the way of a CREATE: `table … already exists`, `there is already
/// an index named …`.
pub(super) fn existing(message: &str) -> Option<(&str, &str)> {
    let (kind, name) = match message.strip_suffix(" already exists") {
        Some(what) => what.split_once(' ')?,
        None => message.split_once("there is already a")?.1.split_once(" named ")?,
    };
    Some((kind.trim_start_matches('n').trim(), name.trim_matches(['"', '\'', '`'])))
}

/// SQLite names the columns of the index, not the index.
pub(super) fn is_duplicate_event_id(error: &Error) -> bool {
    matches!(
        error,
        Error::DatabaseError(DieselKind::UniqueViolation, information)
            if information.message() == "UNIQUE constraint failed: events.event_id"
    )
}
