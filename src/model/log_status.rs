use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::model::position::Position;

/// How far the log can be read, how far events are committed, and which writers hold back what lies between:
/// what [`EventStore::log_status`](crate::EventStore::log_status) returns.
///
/// A transaction that has appended and has not ended may still commit events at positions below those of
/// others. Readers wait for it, so that they miss none, and until then see nothing that was appended after
/// it.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::EventStore;
///
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// let log = EventStore::new().log_status(&mut conn)?;
/// assert_eq!(log.last_readable(), log.last_committed());
/// assert!(log.held_back_for().is_none() && !log.is_stalled());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogStatus {
    pub(crate) last_readable: Position,
    pub(crate) last_committed: Position,
    pub(crate) held_back_since: Option<DateTime<Utc>>,
    pub(crate) held_back_by: Vec<LogHolder>,
    pub(crate) taken_at: DateTime<Utc>,
}

/// A transaction that has appended and has not ended, while later events are committed. A value that the
/// database does not show is `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogHolder {
    pub(crate) process: Option<i64>,
    pub(crate) name: Option<String>,
    pub(crate) since: Option<DateTime<Utc>>,
}

/// Longer than any transaction should be open.
const STALLED_AFTER: Duration = Duration::from_secs(60);

impl LogStatus {
    /// Where readers find the end of the log.
    pub fn last_readable(&self) -> Position {
        self.last_readable
    }

    /// The position of the last event that is committed. It is not below the last one that can be read.
    pub fn last_committed(&self) -> Position {
        self.last_committed
    }

    /// How many positions lie between the two: at most as many events are held back.
    pub fn positions_held_back(&self) -> i64 {
        self.last_committed.get() - self.last_readable.get()
    }

    /// How long committed events have been held back; `None` if none are. It is the age of the oldest
    /// transaction that holds them back; where that is not known, the age of the first of the events by its
    /// `created_at`.
    pub fn held_back_for(&self) -> Option<Duration> {
        let since = self.held_back_since?;
        Some((self.taken_at - since).to_std().unwrap_or_default())
    }

    /// Whether committed events have been held back for more than a minute. Find the process of
    /// [`held_back_by`](Self::held_back_by), and end its transaction.
    pub fn is_stalled(&self) -> bool {
        self.held_back_for().is_some_and(|duration| duration > STALLED_AFTER)
    }

    /// The transactions that hold events back, the first of them first. Empty if none are, or if they are not
    /// known: a standby or replica, and a transaction that reads up to the published position, wait for
    /// [`publish_position`](crate::EventStore::publish_position) and not for a writer.
    ///
    /// - PostgreSQL names them exactly.
    /// - MySQL does, too, for a user with the privileges PROCESS and SELECT on
    ///   `performance_schema.data_locks`.
    /// - MariaDB does not show who holds a lock. A user with the privilege PROCESS gets all transactions that
    ///   have locked rows: one of them is the writer.
    /// - MySQL and MariaDB refresh their list of transactions only when it was not asked for during the last
    ///   0.1 s, so a writer that has just begun may be missing.
    /// - On SQLite, and in the gapless ordering, nothing is ever held back.
    pub fn held_back_by(&self) -> &[LogHolder] {
        &self.held_back_by
    }
}

impl LogHolder {
    /// The process id on PostgreSQL, the connection id on MySQL and MariaDB. A prepared transaction has none.
    pub fn process(&self) -> Option<i64> {
        self.process
    }

    /// On PostgreSQL the connection's `application_name`, or the identifier of a prepared transaction.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// When its transaction began, by the database's clock. PostgreSQL shows it for connections of the same
    /// role, and of others to members of `pg_read_all_stats`.
    pub fn since(&self) -> Option<DateTime<Utc>> {
        self.since
    }
}
