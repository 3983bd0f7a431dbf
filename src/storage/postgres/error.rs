//! What PostgreSQL's messages mean. diesel passes them on, but not the codes that belong to most of them.

use diesel::result::{DatabaseErrorKind as DieselKind, Error};

use crate::storage::error_kind::DatabaseErrorKind;
use crate::storage::kind_of::kind_of;

const KINDS: &[(&str, DatabaseErrorKind)] = &[
    ("canceling statement due to lock timeout", DatabaseErrorKind::Locked),
    ("could not obtain lock on", DatabaseErrorKind::Locked),
    ("deadlock detected", DatabaseErrorKind::Deadlock),
    ("could not serialize access", DatabaseErrorKind::Deadlock),
    ("relation \"events\" does not exist", DatabaseErrorKind::NotMigrated),
    ("relation \"aggregate_heads\" does not exist", DatabaseErrorKind::NotMigrated),
    ("relation \"append_keys\" does not exist", DatabaseErrorKind::NotMigrated),
    ("relation \"snapshots\" does not exist", DatabaseErrorKind::NotMigrated),
    ("relation \"projection_checkpoints\" does not exist", DatabaseErrorKind::NotMigrated),
    ("relation \"projection_workers\" does not exist", DatabaseErrorKind::NotMigrated),
    ("relation \"parked_events\" does not exist", DatabaseErrorKind::NotMigrated),
    ("relation \"event_seals\" does not exist", DatabaseErrorKind::NotMigrated),
    ("relation \"event_rewrites\" does not exist", DatabaseErrorKind::NotMigrated),
    ("relation \"event_log\" does not exist", DatabaseErrorKind::NotMigrated),
    ("function event_store_", DatabaseErrorKind::NotMigrated),
    ("cannot execute", DatabaseErrorKind::ReadOnly),
    ("could not extend file", DatabaseErrorKind::Full),
    ("No space left on device", DatabaseErrorKind::Full),
    ("events is append-only", DatabaseErrorKind::AppendOnly),
    ("event_seals is append-only", DatabaseErrorKind::AppendOnly),
    ("event_rewrites is append-only", DatabaseErrorKind::AppendOnly),
    ("this event log is ", DatabaseErrorKind::LogClosed),
    ("permission denied for", DatabaseErrorKind::NotPermitted),
    ("must be owner of", DatabaseErrorKind::NotPermitted),
    ("the event store needs repair", DatabaseErrorKind::NeedsRepair),
    ("cannot insert a non-DEFAULT value into column \"global_position\"", DatabaseErrorKind::NeedsRepair),
    ("nextval: reached maximum value of sequence", DatabaseErrorKind::Full),
    ("this session finds ", DatabaseErrorKind::UnsuitableSetting),
    ("row level security may hide rows", DatabaseErrorKind::UnsuitableSetting),
    ("new row violates row-level security policy", DatabaseErrorKind::UnsuitableSetting),
    ("query would be affected by row-level security policy", DatabaseErrorKind::UnsuitableSetting),
    ("the client_encoding of the session is ", DatabaseErrorKind::UnsuitableSetting),
    ("the events of this log come from another server", DatabaseErrorKind::OtherServer),
    ("SAVEPOINT can only be used in transaction blocks", DatabaseErrorKind::TransactionEnded),
    ("RELEASE SAVEPOINT can only be used in transaction blocks", DatabaseErrorKind::TransactionEnded),
    ("ROLLBACK TO SAVEPOINT can only be used in transaction blocks", DatabaseErrorKind::TransactionEnded),
    ("server closed the connection", DatabaseErrorKind::ConnectionLost),
    ("terminating connection", DatabaseErrorKind::ConnectionLost),
    ("no connection to the server", DatabaseErrorKind::ConnectionLost),
    // What diesel-async says.
    ("connection closed", DatabaseErrorKind::ConnectionLost),
    ("error communicating with the server", DatabaseErrorKind::ConnectionLost),
    ("channel closed", DatabaseErrorKind::ConnectionLost),
];

pub(crate) fn classify(message: &str) -> Option<DatabaseErrorKind> {
    KINDS.iter().find(|(beginning, _)| message.starts_with(beginning)).map(|&(_, kind)| kind)
}

/// What is recorded already, by columns and values: `Key (event_id)=(…) already exists.` The constraint may
/// have any name.
pub(super) fn recorded_key(error: &Error) -> Option<&str> {
    match error {
        Error::DatabaseError(DieselKind::UniqueViolation, information)
            if information.table_name() == Some("events") =>
        {
            information.details()
        }
        _ => None,
    }
}

/// The transaction of the error was ended in favour of another.
pub(super) fn is_overtaken(error: &Error) -> bool {
    kind_of(error, classify) == DatabaseErrorKind::Deadlock
}

/// diesel does not know of the transaction that is open.
pub(super) fn is_foreign(error: &Error) -> bool {
    kind_of(error, classify) == DatabaseErrorKind::ForeignTransaction
}

/// An earlier statement of the transaction has failed.
pub(super) fn is_aborted(error: &Error) -> bool {
    matches!(error, Error::DatabaseError(_, information)
        if information.message().starts_with("current transaction is aborted"))
}

/// The application has ended the savepoint, or the transaction around it.
pub(crate) fn is_missing_savepoint(message: &str) -> bool {
    message.contains("SAVEPOINT can only be used in transaction blocks")
        || message.starts_with("savepoint ") && message.ends_with(" does not exist")
}

/// The kind and the name of what stands in the way of a CREATE: `relation "…" already exists`, `function "…"
/// already exists with same argument types`.
pub(super) fn existing(message: &str) -> Option<(&str, &str)> {
    let (what, _) = message.split_once("\" already exists")?;
    what.split_once(" \"")
}
