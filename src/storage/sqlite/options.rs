use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel::sqlite::SqliteConnection;
#[cfg(feature = "async-sqlite")]
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;

use super::options_error::OptionsError;
use crate::model::invalid::{InvalidInput, Problem};
#[cfg(feature = "async-sqlite")]
use crate::storage::asynchronous::awaited::on_thread;
use crate::storage::error::DatabaseError;

/// SQLite counts the milliseconds of `busy_timeout` in 31 bits, and takes a larger number for 0.
const LONGEST_BUSY_TIMEOUT: Duration = Duration::from_millis(i32::MAX as u64);

/// How SQLite keeps a transaction safe while it is being written.
///
/// ```
/// use diesel_event_store::sqlite::{JournalMode, Options};
///
/// let options = Options::default().journal_mode(JournalMode::Delete);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum JournalMode {
    /// A write-ahead log beside the file: readers and the writer do not wait for each other. Not for network
    /// file systems.
    Wal,
    /// A rollback journal that is deleted after each transaction: a writer waits for readers and they for it.
    Delete,
}

/// When SQLite waits for the disk.
///
/// ```
/// use diesel_event_store::sqlite::{Options, Synchronous};
///
/// let options = Options::default().synchronous(Synchronous::Normal);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Synchronous {
    /// At every commit: a committed transaction survives a power failure.
    Full,
    /// With a write-ahead log only at checkpoints: a committed transaction survives a crash of the
    /// application, but the last ones before a power failure may be gone, whole and from the end. Never a
    /// damaged database.
    Normal,
}

/// The settings of a SQLite connection that an event store wants.
///
/// Apply them once to each connection, before it is used: with [`apply`](Options::apply), or with the feature
/// `r2d2` as the `connection_customizer` of a pool. Nothing else in this crate changes the settings of a
/// connection.
///
/// | setting | default | |
/// |---|---|---|
/// | `busy_timeout` | 5 s | how long to wait for another connection's lock |
/// | `journal_mode` | `WAL` | kept in the file; set only if it is not so already |
/// | `synchronous` | `FULL` | what is committed survives a power failure |
/// | `foreign_keys` | on | for the application's own tables |
/// | `recursive_triggers` | off | on: also `INSERT OR REPLACE` cannot replace an event |
///
/// ```
/// use std::time::Duration;
///
/// use diesel::prelude::*;
/// use diesel_event_store::sqlite::{Options, Synchronous};
///
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("shop.db").display().to_string();
/// let options = Options::default().busy_timeout(Duration::from_secs(30)).synchronous(Synchronous::Normal);
/// let mut conn = SqliteConnection::establish(&path).unwrap();
/// options.apply(&mut conn)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    busy_timeout: Duration,
    journal_mode: JournalMode,
    synchronous: Synchronous,
    foreign_keys: bool,
    recursive_triggers: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            busy_timeout: Duration::from_secs(5),
            journal_mode: JournalMode::Wal,
            synchronous: Synchronous::Full,
            foreign_keys: true,
            recursive_triggers: false,
        }
    }
}

impl Options {
    /// How long to wait for another connection's lock before an operation fails with
    /// [`Locked`](crate::DatabaseErrorKind::Locked). Default: 5 s. It is rounded up to whole milliseconds,
    /// and the limit is 2,147,483.647 s, which is 24.8 days: [`apply`](Self::apply) refuses more.
    ///
    /// ```
    /// # use diesel_event_store::sqlite::Options;
    /// let options = Options::default().busy_timeout(std::time::Duration::from_secs(30));
    /// ```
    pub fn busy_timeout(mut self, busy_timeout: Duration) -> Self {
        self.busy_timeout = busy_timeout;
        self
    }

    /// The journal mode. It is kept in the database file.
    ///
    /// ```
    /// # use diesel_event_store::sqlite::{JournalMode, Options};
    /// let options = Options::default().journal_mode(JournalMode::Delete);
    /// ```
    pub fn journal_mode(mut self, journal_mode: JournalMode) -> Self {
        self.journal_mode = journal_mode;
        self
    }

    /// When to wait for the disk.
    ///
    /// ```
    /// # use diesel_event_store::sqlite::{Options, Synchronous};
    /// let options = Options::default().synchronous(Synchronous::Normal);
    /// ```
    pub fn synchronous(mut self, synchronous: Synchronous) -> Self {
        self.synchronous = synchronous;
        self
    }

    /// Whether SQLite enforces the foreign keys of the application's tables.
    ///
    /// ```
    /// # use diesel_event_store::sqlite::Options;
    /// let options = Options::default().foreign_keys(false);
    /// ```
    pub fn foreign_keys(mut self, foreign_keys: bool) -> Self {
        self.foreign_keys = foreign_keys;
        self
    }

    /// Whether triggers fire for what triggers do, and for the rows that `INSERT OR REPLACE` removes. Only
    /// then is replacing an event refused like deleting one. Off by default, as it changes what an
    /// application's own triggers do (diesel's `updated_at` triggers among them).
    ///
    /// ```
    /// # use diesel_event_store::sqlite::Options;
    /// let options = Options::default().recursive_triggers(true);
    /// ```
    pub fn recursive_triggers(mut self, recursive_triggers: bool) -> Self {
        self.recursive_triggers = recursive_triggers;
        self
    }

    /// Applies the settings to a connection. Outside a transaction: SQLite changes some of them only there.
    ///
    /// # Errors
    ///
    /// - [`OptionsError::Invalid`]: `busy_timeout` is longer than SQLite can wait. Nothing was changed.
    /// - [`OptionsError::Database`]: for instance the file is not a database, it cannot be written to and is
    ///   not in WAL mode yet, or another connection has kept it locked for longer than `busy_timeout`.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use diesel::prelude::*;
    /// use diesel_event_store::sqlite::{Options, OptionsError};
    ///
    /// let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// let refused = Options::default().busy_timeout(Duration::MAX).apply(&mut conn);
    /// assert!(matches!(refused, Err(OptionsError::Invalid(invalid)) if invalid.field() == "busy_timeout"));
    /// ```
    pub fn apply(&self, conn: &mut SqliteConnection) -> Result<(), OptionsError> {
        let busy_timeout = self.busy_timeout_in_milliseconds()?;
        // First, so that the others wait too.
        conn.batch_execute(&format!("PRAGMA busy_timeout = {busy_timeout}"))?;
        self.apply_journal_mode(conn)?;
        conn.batch_execute(&format!(
            "PRAGMA synchronous = {}; PRAGMA foreign_keys = {}; PRAGMA recursive_triggers = {}",
            self.synchronous.pragma(),
            self.foreign_keys,
            self.recursive_triggers,
        ))?;
        Ok(())
    }

    /// [`apply`](Self::apply) on a connection of diesel-async's.
    ///
    /// # Errors
    ///
    /// Those of [`apply`](Self::apply).
    ///
    /// ```
    /// use diesel::sqlite::SqliteConnection;
    /// use diesel_async::AsyncConnection;
    /// use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
    /// use diesel_event_store::sqlite::Options;
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut conn = SyncConnectionWrapper::<SqliteConnection>::establish(":memory:").await?;
    /// Options::default().async_apply(&mut conn).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "async-sqlite")]
    pub async fn async_apply(
        &self,
        conn: &mut SyncConnectionWrapper<SqliteConnection>,
    ) -> Result<(), OptionsError> {
        let options = *self;
        on_thread(conn, move |conn| options.apply(conn)).await
    }

    /// Rounded up, so that a short wait does not become none.
    fn busy_timeout_in_milliseconds(&self) -> Result<u128, InvalidInput> {
        let (duration, limit) = (self.busy_timeout, LONGEST_BUSY_TIMEOUT);
        if duration > limit {
            return Err(InvalidInput::new("busy_timeout", Problem::DurationTooLong { duration, limit }));
        }
        Ok(duration.as_nanos().div_ceil(1_000_000))
    }

    /// Changing the mode needs the whole file for itself, and SQLite does not wait for that as long as
    /// `busy_timeout` says: connections that open a new file at the same moment would fail.
    fn apply_journal_mode(&self, conn: &mut SqliteConnection) -> Result<(), DatabaseError> {
        let deadline = Instant::now() + self.busy_timeout;
        loop {
            match self.try_journal_mode(conn).map_err(DatabaseError::from) {
                Err(error) if error.is_retryable() && Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                outcome => return outcome,
            }
        }
    }

    fn try_journal_mode(&self, conn: &mut SqliteConnection) -> QueryResult<()> {
        let wanted = self.journal_mode.pragma();
        if journal_mode(conn, "PRAGMA journal_mode")? != wanted {
            journal_mode(conn, &format!("PRAGMA journal_mode = {wanted}"))?;
        }
        Ok(())
    }
}

fn journal_mode(conn: &mut SqliteConnection, pragma: &str) -> QueryResult<String> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        journal_mode: String,
    }
    diesel::sql_query(pragma).get_result::<Row>(conn).map(|row| row.journal_mode)
}

impl JournalMode {
    fn pragma(self) -> &'static str {
        match self {
            JournalMode::Wal => "wal",
            JournalMode::Delete => "delete",
        }
    }
}

impl Synchronous {
    fn pragma(self) -> &'static str {
        match self {
            Synchronous::Full => "full",
            Synchronous::Normal => "normal",
        }
    }
}

/// As the `connection_customizer` of a pool, the options apply to every connection the pool opens.
///
/// ```
/// use diesel::r2d2::{ConnectionManager, Pool};
/// use diesel::sqlite::SqliteConnection;
/// use diesel_event_store::sqlite::Options;
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("shop.db").display().to_string();
/// let pool = Pool::builder()
///     .max_size(4)
///     .connection_customizer(Box::new(Options::default()))
///     .build(ConnectionManager::<SqliteConnection>::new(path))
///     .unwrap();
/// diesel_event_store::run_pending_migrations(&mut pool.get().unwrap())?;
/// # Ok::<(), diesel_event_store::Error>(())
/// ```
#[cfg(feature = "r2d2")]
impl diesel::r2d2::CustomizeConnection<SqliteConnection, diesel::r2d2::Error> for Options {
    fn on_acquire(&self, conn: &mut SqliteConnection) -> Result<(), diesel::r2d2::Error> {
        self.apply(conn).map_err(|error| diesel::r2d2::Error::QueryError(error.into_diesel_error()))
    }
}
