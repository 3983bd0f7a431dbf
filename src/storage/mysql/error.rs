//! What the messages of MariaDB and MySQL mean. diesel passes them on, but not the numbers that belong to
//! them.

use diesel::result::{DatabaseErrorKind as DieselKind, Error};

use crate::storage::error_kind::DatabaseErrorKind;
use crate::storage::kind_of::kind_of;

const BEGINNINGS: &[(&str, DatabaseErrorKind)] = &[
    ("Lock wait timeout exceeded", DatabaseErrorKind::Locked),
    ("Statement aborted because lock(s) could not be acquired immediately", DatabaseErrorKind::Locked),
    ("Deadlock found when trying to get lock", DatabaseErrorKind::Deadlock),
    // MariaDB with innodb_snapshot_isolation, which takes a transaction's snapshot seriously.
    ("Record has changed since last read in table", DatabaseErrorKind::Deadlock),
    // Group Replication, where servers that are all written to have changed the same.
    ("Plugin instructed the server to rollback the current transaction", DatabaseErrorKind::Deadlock),
    ("Got error 149 - 'Lock deadlock; Retry transaction' during COMMIT", DatabaseErrorKind::Deadlock),
    // The savepoint has gone with its transaction.
    ("SAVEPOINT diesel_", DatabaseErrorKind::Deadlock),
    // What `inside!` makes of a statement whose transaction has gone.
    ("CONSTRAINT `aggregate_heads.aggregate_version` failed", DatabaseErrorKind::Deadlock),
    ("CONSTRAINT `append_keys.event_count` failed", DatabaseErrorKind::Deadlock),
    ("CONSTRAINT `events.aggregate_version` failed", DatabaseErrorKind::Deadlock),
    ("CONSTRAINT `event_log.last_position` failed", DatabaseErrorKind::Deadlock),
    ("Cannot execute statement in a READ ONLY transaction", DatabaseErrorKind::ReadOnly),
    ("Running in read-only mode", DatabaseErrorKind::ReadOnly),
    ("MySQL server has gone away", DatabaseErrorKind::ConnectionLost),
    ("Server has gone away", DatabaseErrorKind::ConnectionLost),
    ("Lost connection to ", DatabaseErrorKind::ConnectionLost),
    ("Connection was killed", DatabaseErrorKind::ConnectionLost),
    ("Server shutdown in progress", DatabaseErrorKind::ConnectionLost),
    ("The client was disconnected by the server", DatabaseErrorKind::ConnectionLost),
    // A Galera node that has left its cluster. Another node may accept the statement.
    ("WSREP has not yet prepared node for application use", DatabaseErrorKind::ConnectionLost),
    ("Got a packet bigger than 'max_allowed_packet' bytes", DatabaseErrorKind::TooLarge),
    // What the client of diesel-async says, which closes the connection then.
    ("Input/output error: Input/output error: packet too large", DatabaseErrorKind::TooLarge),
    ("Input/output error: ", DatabaseErrorKind::ConnectionLost),
    ("Driver error: `Connection to the server is closed", DatabaseErrorKind::ConnectionLost),
    ("events is append-only", DatabaseErrorKind::AppendOnly),
    ("event_seals is append-only", DatabaseErrorKind::AppendOnly),
    ("event_rewrites is append-only", DatabaseErrorKind::AppendOnly),
    ("this event log is ", DatabaseErrorKind::LogClosed),
    ("Column 'global_position' cannot be null", DatabaseErrorKind::NeedsRepair),
    ("Access denied", DatabaseErrorKind::NotPermitted),
    ("You do not have the SUPER privilege", DatabaseErrorKind::NotPermitted),
    ("Cannot execute statement: impossible to write to binary log", DatabaseErrorKind::UnsuitableSetting),
    (
        "Transaction characteristics can't be changed while a transaction",
        DatabaseErrorKind::ForeignTransaction,
    ),
    ("XAER_RMFAIL", DatabaseErrorKind::ForeignTransaction),
];

const PARTS: &[(&str, DatabaseErrorKind)] = &[
    (".events' doesn't exist", DatabaseErrorKind::NotMigrated),
    (".aggregate_heads' doesn't exist", DatabaseErrorKind::NotMigrated),
    (".append_keys' doesn't exist", DatabaseErrorKind::NotMigrated),
    (".snapshots' doesn't exist", DatabaseErrorKind::NotMigrated),
    (".projection_checkpoints' doesn't exist", DatabaseErrorKind::NotMigrated),
    (".projection_workers' doesn't exist", DatabaseErrorKind::NotMigrated),
    (".parked_events' doesn't exist", DatabaseErrorKind::NotMigrated),
    (".event_seals' doesn't exist", DatabaseErrorKind::NotMigrated),
    (".event_rewrites' doesn't exist", DatabaseErrorKind::NotMigrated),
    (".event_fence' doesn't exist", DatabaseErrorKind::NotMigrated),
    (".event_log' doesn't exist", DatabaseErrorKind::NotMigrated),
    (" command denied to user ", DatabaseErrorKind::NotPermitted),
    (" server is running with the --read-only", DatabaseErrorKind::ReadOnly),
    (" server is running with the --super-read-only", DatabaseErrorKind::ReadOnly),
    ("' is full", DatabaseErrorKind::Full),
    // A character set of the session, as `other_texts!` has it and as MySQL does.
    ("send SET NAMES utf8mb4", DatabaseErrorKind::UnsuitableSetting),
    (" impossible for parameter", DatabaseErrorKind::UnsuitableSetting),
    ("No space left on device", DatabaseErrorKind::Full),
    ("Disk full (", DatabaseErrorKind::Full),
];

pub(crate) fn classify(message: &str) -> Option<DatabaseErrorKind> {
    let begins = |(text, _): &&(&str, _)| message.starts_with(text);
    let contains = |(text, _): &&(&str, _)| message.contains(text);
    let known = BEGINNINGS.iter().find(begins).or_else(|| PARTS.iter().find(contains));
    known.map(|&(_, kind)| kind)
}

/// The kind of a failure, if it comes from this crate's own statement.
pub(super) fn kind(error: &Error) -> DatabaseErrorKind {
    kind_of(error, classify)
}

/// What stands in the index already, of an insert that was refused for its event id: `Duplicate entry '…' for
/// key '…'`. In other languages the same stands between other words.
pub(super) fn duplicate_event_id(error: &Error) -> Option<&str> {
    let Error::DatabaseError(DieselKind::UniqueViolation, information) = error else { return None };
    let mut quoted = information.message().split('\'').skip(1).step_by(2);
    let (entry, key) = (quoted.next()?, quoted.next()?);
    // MySQL 8 names the table, too.
    key.ends_with("events_event_id_key").then_some(entry)
}

/// The application has ended the savepoint, or the transaction around it: `SAVEPOINT … does not exist`.
pub(crate) fn is_missing_savepoint(message: &str) -> bool {
    message.starts_with("SAVEPOINT ") && message.ends_with(" does not exist")
}

/// The kind and the name of what stands in the way of a CREATE: `Table '…' already exists`, also of a view.
pub(super) fn existing(message: &str) -> Option<(&str, &str)> {
    let (_, name) = message.strip_suffix(" already exists")?.rsplit_once(' ')?;
    Some(("table or view", name.trim_matches(['\'', '`'])))
}

pub(super) fn is_missing_table(error: &Error) -> bool {
    matches!(error, Error::DatabaseError(_, information) if information.message().ends_with("' doesn't exist"))
}

/// What the server would say of a lock that was not released in time. Of GET_LOCK it says nothing.
pub(super) fn lock_timeout(lock: &str) -> Error {
    let message = format!("Lock wait timeout exceeded: {lock}");
    Error::DatabaseError(DieselKind::Unknown, Box::new(message))
}
