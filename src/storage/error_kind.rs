/// Why the database refused or failed.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::{DatabaseErrorKind, EventStore, ReadError};
///
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// match EventStore::new().last_position(&mut conn) {
///     Err(ReadError::Database(error)) => assert_eq!(error.kind(), DatabaseErrorKind::NotMigrated),
///     other => panic!("{other:?}"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DatabaseErrorKind {
    /// Another connection holds a lock for longer than this one is willing to wait. Retryable.
    Locked,
    /// The database has rolled the whole transaction back so that another can go on: a deadlock, or a
    /// serialization failure. Retryable.
    Deadlock,
    /// The event store's tables are not there.
    NotMigrated,
    /// The database, or the connection to it, can only be read.
    ReadOnly,
    /// The disk, or the database within its limits, is full.
    Full,
    /// The file is not a database, or is damaged.
    Corrupt,
    /// A row holds a value that the event store never writes: it was written by hand, or the file is damaged.
    Unreadable,
    /// The operating system could not open, read or write the database.
    Io,
    /// A trigger has refused to change or delete an event.
    AppendOnly,
    /// The log is closed: it takes no events for now. See [`LogClosed`](crate::LogClosed).
    LogClosed,
    /// The connection is in a transaction that diesel has not opened (with `BEGIN` as plain SQL, say).
    ForeignTransaction,
    /// The transaction that diesel believes in has ended. A statement in it has ended it (`COMMIT` or
    /// `ROLLBACK` as plain SQL, `ON CONFLICT ROLLBACK` on SQLite, `CREATE TABLE` on MySQL and MariaDB), or
    /// the database has rolled it back and the error that said so was passed over.
    TransactionEnded,
    /// The log was read where the appends that are under way cannot be seen, and no position has been
    /// [published](crate::EventStore::publish_position).
    NotPublished,
    /// The role or user of the connection lacks a privilege.
    NotPermitted,
    /// What counts the events does not agree with them: `aggregate_heads`, the sequence or AUTO_INCREMENT
    /// that positions come from, `event_log` or `event_fence`. Nothing was written. See
    /// [`EventStore::repair`](crate::EventStore::repair).
    NeedsRepair,
    /// Events are appended on another server, and to append here as well would let readers miss events: on
    /// MySQL and MariaDB another one of those that replicate to each other, on PostgreSQL the publisher of
    /// a subscription. Or, on MySQL and MariaDB, a reader was answered by two servers, of which one is behind the
    /// other.
    OtherServer,
    /// A setting of the server or of the session, or a trigger of the application, does not allow it: see the
    /// error's source. On PostgreSQL also row level security, or a table of the application that hides one of
    /// the event store.
    UnsuitableSetting,
    /// A statement was, or would be, larger than the server accepts: 1 GiB on PostgreSQL, its
    /// `max_allowed_packet` on MySQL and MariaDB.
    TooLarge,
    /// The connection is lost, or diesel has marked it as broken after an earlier failure. Retryable on a new
    /// connection.
    ConnectionLost,
    /// Anything else: see the error's source.
    Other,
}

impl DatabaseErrorKind {
    /// Whether the same may well succeed when it is run again.
    pub(crate) fn is_retryable(self) -> bool {
        matches!(self, Self::Locked | Self::Deadlock | Self::ConnectionLost)
    }

    /// Whether it was rolled back so that another could go on. Unlike after a lost connection, nothing of it
    /// was committed, and the connection is sound.
    pub(crate) fn has_given_way(self) -> bool {
        matches!(self, Self::Locked | Self::Deadlock)
    }

    /// What happened, and what to do about it.
    pub(crate) fn advice(self) -> &'static str {
        match self {
            Self::Locked => {
                "the database is locked by another connection; run the outermost transaction again, begin it \
                 with `write_transaction` if it reads before it appends, and set a busy_timeout \
                 (sqlite::Options) so that it waits for the lock"
            }
            Self::Deadlock => {
                "the database has rolled the transaction back so that another could go on; run the outermost \
                 transaction again"
            }
            Self::NotMigrated => {
                "the event store's tables are missing; call `run_pending_migrations` when the application \
                 starts, or run `diesel migration run`; on PostgreSQL it looks the same to a role that lacks \
                 USAGE on their schema, or whose search_path does not name it"
            }
            Self::ReadOnly => "the database is read-only; open it with write access to append or save",
            Self::Full => {
                "the database or its disk is full; nothing of this was written, make room, and run the \
                 outermost transaction again"
            }
            Self::Corrupt => {
                "the file is damaged or is not a database; keep a copy of it, check it with \
                 `PRAGMA integrity_check`, and restore a backup"
            }
            Self::Unreadable => {
                "a row holds a value that cannot be read: it was written by hand, or the file is damaged"
            }
            Self::Io => "the operating system could not open, read or write the database",
            Self::AppendOnly => "events are append-only: what is recorded is neither changed nor deleted",
            Self::LogClosed => {
                "the log takes no events, because it moves to another database or an import fills it; try \
                 again once it is open, or at the place that the message names"
            }
            Self::ForeignTransaction => {
                "the connection is in a transaction that diesel does not know of; open transactions with \
                 `write_transaction` or `Connection::transaction`, not with BEGIN as SQL or with \
                 autocommit off"
            }
            Self::TransactionEnded => {
                "the transaction has ended before, so this was not done: a statement in it ends it (COMMIT \
                 or ROLLBACK sent as SQL; on SQLite ON CONFLICT ROLLBACK; on MySQL and MariaDB CREATE, \
                 ALTER, DROP, TRUNCATE, LOCK TABLES, which have to come before it); or the database has \
                 rolled it back with an error that was passed over (a full disk; on MySQL and MariaDB a \
                 deadlock, or a lock that was not released in time, with innodb_rollback_on_timeout), after \
                 which the outermost transaction has to be left"
            }
            Self::NotPublished => {
                "a standby, and a transaction in REPEATABLE READ or SERIALIZABLE, cannot see which appends \
                 are under way, so they read the log up to the last published position, and none is \
                 published, or a subscription of PostgreSQL does not have events and event_log in step yet; \
                 read the log before the transaction begins, or call \
                 `EventStore::publish_position` regularly on the primary, outside of transactions"
            }
            Self::NotPermitted => {
                "the database role lacks a privilege; a reader needs SELECT on events, event_rewrites, \
                 aggregate_heads and event_log, on PostgreSQL also SELECT on the sequence of events, USAGE on \
                 the schema, and EXECUTE on the functions that the migration has created, on MySQL and MariaDB SELECT on event_fence, UPDATE on event_log and event_fence; an appender also INSERT \
                 on events, INSERT and UPDATE on aggregate_heads (and DELETE if a batch guards a stream \
                 without events), SELECT and INSERT on append_keys for idempotency keys (on MySQL and \
                 MariaDB also UPDATE), SELECT, INSERT and UPDATE on snapshots for aggregates that have them (and DELETE \
                 on either, to delete old keys and snapshots), \
                 on PostgreSQL USAGE on the sequence, UPDATE on event_log if positions are gapless; a \
                 projection SELECT, INSERT, UPDATE and DELETE on projection_checkpoints, projection_workers \
                 and parked_events; verifying SELECT on projection_checkpoints and event_seals, and sealing \
                 INSERT on event_seals; archiving INSERT on event_rewrites, UPDATE on aggregate_heads, and \
                 DELETE on events, event_rewrites and snapshots (docs/databases.md has the statements)"
            }
            Self::NeedsRepair => {
                "what counts the events (aggregate_heads, the sequence or AUTO_INCREMENT of events, event_log, \
                 event_fence) does not agree with the events: they were imported, restored or changed by hand; call \
                 `EventStore::repair` once"
            }
            Self::OtherServer => {
                "the log is in the fenced ordering, for one server that appends, and that is another one; \
                 append there; after a fail-over, once the other server takes no more writes, drop the \
                 subscription on PostgreSQL, and call `EventStore::repair` here; on MySQL and MariaDB, if several servers are to append, choose `LogOrdering::Gapless` \
                 in a cluster that certifies writes (Galera, Group Replication)"
            }
            Self::UnsuitableSetting => {
                "a setting of the server or of the session, a trigger, a policy, or another table of the same \
                 name does not allow it, as the message says; on MySQL and MariaDB set binlog_format to ROW or MIXED, the session's character set to \
                 utf8mb4, and its isolation level to READ COMMITTED or above"
            }
            Self::TooLarge => {
                "a statement was larger than the server accepts; write less at once, or raise the \
                 `max_allowed_packet` of MySQL or MariaDB"
            }
            Self::ConnectionLost => {
                "the connection is lost, or an earlier failure has left it broken; open a new one and run \
                 the outermost transaction again"
            }
            Self::Other => "the database reported an error",
        }
    }
}
