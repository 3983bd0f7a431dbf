//! What the messages of MariaDB and MySQL mean. diesel passes them on, but not the numbers that belong to them.

use crate::storage::error_kind::DatabaseErrorKind;

const BEGINNINGS: &[(&str, DatabaseErrorKind)] = &[
    ("Lock wait timeout exceeded", DatabaseErrorKind::Locked),
    ("Statement aborted because lock(s) could not be acquired immediately", DatabaseErrorKind::Locked),
    ("Deadlock found when trying to get lock", DatabaseErrorKind::Deadlock),
    // MariaDB with innodb_snapshot_isolation, which takes a transaction's snapshot seriously.
    ("Record has changed since last read in table", DatabaseErrorKind::Deadlock),
    // It has gone with its transaction.
    ("SAVEPOINT diesel_savepoint_", DatabaseErrorKind::Deadlock),
    ("Cannot execute statement in a READ ONLY transaction", DatabaseErrorKind::ReadOnly),
    ("Running in read-only mode", DatabaseErrorKind::ReadOnly),
    ("MySQL server has gone away", DatabaseErrorKind::ConnectionLost),
    ("Server has gone away", DatabaseErrorKind::ConnectionLost),
    ("Lost connection to ", DatabaseErrorKind::ConnectionLost),
    ("Connection was killed", DatabaseErrorKind::ConnectionLost),
    ("Server shutdown in progress", DatabaseErrorKind::ConnectionLost),
    ("The client was disconnected by the server", DatabaseErrorKind::ConnectionLost),
    // A Galera node that has left its cluster. Another one may do it.
    ("WSREP has not yet prepared node for application use", DatabaseErrorKind::ConnectionLost),
    ("Got a packet bigger than 'max_allowed_packet' bytes", DatabaseErrorKind::TooLarge),
    ("events is append-only", DatabaseErrorKind::AppendOnly),
    (
        "Transaction characteristics can't be changed while a transaction",
        DatabaseErrorKind::ForeignTransaction,
    ),
    ("XAER_RMFAIL", DatabaseErrorKind::ForeignTransaction),
];

const PARTS: &[(&str, DatabaseErrorKind)] = &[
    (".events' doesn't exist", DatabaseErrorKind::NotMigrated),
    (".aggregate_heads' doesn't exist", DatabaseErrorKind::NotMigrated),
    (".projection_checkpoints' doesn't exist", DatabaseErrorKind::NotMigrated),
    (".projection_workers' doesn't exist", DatabaseErrorKind::NotMigrated),
    (".parked_events' doesn't exist", DatabaseErrorKind::NotMigrated),
    (".event_fence' doesn't exist", DatabaseErrorKind::NotMigrated),
    (".event_log' doesn't exist", DatabaseErrorKind::NotMigrated),
    // Whoever may only read.
    ("INSERT command denied to user", DatabaseErrorKind::ReadOnly),
    ("UPDATE command denied to user", DatabaseErrorKind::ReadOnly),
    ("DELETE command denied to user", DatabaseErrorKind::ReadOnly),
    (" server is running with the --read-only", DatabaseErrorKind::ReadOnly),
    (" server is running with the --super-read-only", DatabaseErrorKind::ReadOnly),
    ("' is full", DatabaseErrorKind::Full),
    ("No space left on device", DatabaseErrorKind::Full),
    ("Disk full (", DatabaseErrorKind::Full),
];

pub(crate) fn classify(message: &str) -> Option<DatabaseErrorKind> {
    let begins = |(text, _): &&(&str, _)| message.starts_with(text);
    let contains = |(text, _): &&(&str, _)| message.contains(text);
    let known = BEGINNINGS.iter().find(begins).or_else(|| PARTS.iter().find(contains));
    known.map(|&(_, kind)| kind)
}

/// What stands in the index already, of an insert that was refused for its event id: `Duplicate entry '…' for key '…'`.
pub(super) fn duplicate_event_id(message: &str) -> Option<&str> {
    let (entry, key) = message.split_once("' for key '")?;
    // MySQL 8 names the table, too.
    key.ends_with("events_event_id_key'").then(|| entry.rsplit('\'').next()).flatten()
}
