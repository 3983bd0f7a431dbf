//! What PostgreSQL's messages mean. diesel passes them on, but not the codes that belong to most of them.

use diesel::result::{DatabaseErrorKind as DieselKind, Error};

use crate::storage::error_kind::DatabaseErrorKind;

const KINDS: &[(&str, DatabaseErrorKind)] = &[
    ("canceling statement due to lock timeout", DatabaseErrorKind::Locked),
    ("could not obtain lock on", DatabaseErrorKind::Locked),
    ("deadlock detected", DatabaseErrorKind::Deadlock),
    ("could not serialize access", DatabaseErrorKind::Deadlock),
    ("relation \"events\" does not exist", DatabaseErrorKind::NotMigrated),
    ("relation \"aggregate_heads\" does not exist", DatabaseErrorKind::NotMigrated),
    ("relation \"projection_checkpoints\" does not exist", DatabaseErrorKind::NotMigrated),
    ("relation \"projection_workers\" does not exist", DatabaseErrorKind::NotMigrated),
    ("relation \"parked_events\" does not exist", DatabaseErrorKind::NotMigrated),
    ("relation \"event_log\" does not exist", DatabaseErrorKind::NotMigrated),
    ("function event_store_", DatabaseErrorKind::NotMigrated),
    ("cannot execute", DatabaseErrorKind::ReadOnly),
    ("could not extend file", DatabaseErrorKind::Full),
    ("No space left on device", DatabaseErrorKind::Full),
    ("events is append-only", DatabaseErrorKind::AppendOnly),
    ("server closed the connection", DatabaseErrorKind::ConnectionLost),
    ("terminating connection", DatabaseErrorKind::ConnectionLost),
    ("no connection to the server", DatabaseErrorKind::ConnectionLost),
];

pub(crate) fn classify(message: &str) -> Option<DatabaseErrorKind> {
    KINDS.iter().find(|(beginning, _)| message.starts_with(beginning)).map(|&(_, kind)| kind)
}

/// That an event's id is recorded already, in words that contain the id: `Key (event_id)=(…) already exists.`
pub(super) fn duplicate_event_id(error: &Error) -> Option<&str> {
    match error {
        Error::DatabaseError(DieselKind::UniqueViolation, information)
            if information.constraint_name() == Some("events_event_id_key") =>
        {
            information.details()
        }
        _ => None,
    }
}

/// The application has ended the savepoint, or the transaction around it.
pub(crate) fn is_missing_savepoint(message: &str) -> bool {
    message.contains("SAVEPOINT can only be used in transaction blocks")
        || message.starts_with("savepoint ") && message.ends_with(" does not exist")
}

/// The name of what stands in the way of a CREATE: `relation "…" already exists`.
pub(super) fn existing_table(message: &str) -> Option<&str> {
    let (_, name) = message.strip_suffix(" already exists")?.rsplit_once(' ')?;
    Some(name.trim_matches('"'))
}
