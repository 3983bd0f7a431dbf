use std::collections::HashSet;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::model::appended::Appended;
use crate::model::duplicate::Duplicate;
use crate::model::event::{NewEvent, RecordedEvent};
use crate::model::expected_version::{Conflict, ExpectedVersion};
use crate::model::invalid::{InvalidInput, Problem};
use crate::model::stream_id::StreamId;
use crate::model::timestamp;
use crate::observe;
use crate::storage::append::{Append, AppendError, Batch, Placement};
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::error::DatabaseError;
use crate::storage::error_kind::DatabaseErrorKind;
use crate::storage::now::now;
use crate::storage::read::Read;
use crate::store::{EventStore, wake_up};

impl EventStore {
    /// Appends events to a stream, all or none, if the stream is at the expected version.
    ///
    /// Outside a transaction, it begins its own: once it returns `Ok`, the events are as durable as the
    /// database's settings make any commit. Inside a transaction of the application, the events are committed
    /// or rolled back with it, and one transaction can append to several streams.
    ///
    /// **After an error** nothing of the append is in the database. Inside the application's transaction,
    /// everything else that the transaction did is still there, and it can continue and commit: the append
    /// runs in a savepoint, or is a single statement. After these errors it cannot, so leave the outermost
    /// transaction:
    ///
    /// - on SQLite, a disk failure ([`Full`](crate::DatabaseErrorKind::Full),
    ///   [`Io`](crate::DatabaseErrorKind::Io)): SQLite may have rolled back the whole transaction;
    /// - on MySQL and MariaDB, a [`Deadlock`](crate::DatabaseErrorKind::Deadlock): all of the transaction is
    ///   rolled back;
    /// - on PostgreSQL, every error that the server itself raises (a deadlock, a timeout, an id that another
    ///   transaction records at that very moment): the transaction is aborted.
    ///
    /// **On SQLite** there is one writer at a time. Outside a transaction, the append waits for its turn for
    /// up to the connection's `busy_timeout`. A transaction that reads before it appends should begin with
    /// [`write_transaction`](crate::write_transaction): a deferred one that has read cannot wait for its
    /// turn, and fails with [`Locked`](crate::DatabaseErrorKind::Locked) if another connection has written
    /// since.
    ///
    /// **On PostgreSQL and MySQL** appends wait for each other only if they are to the same stream. If the
    /// database rolls one of them back so that another can continue, the error is a
    /// [`Deadlock`](crate::DatabaseErrorKind::Deadlock): inside a transaction of the application, leave the
    /// outermost one and run it again.
    ///
    /// # Errors
    ///
    /// - [`Conflict`](AppendError::Conflict): the stream is at another version than expected.
    /// - [`DuplicateEventId`](AppendError::DuplicateEventId): an event with one of the ids is already
    ///   recorded; the error says where, and whether it is the same event.
    /// - [`Invalid`](AppendError::Invalid): there are no events (see [`allow_empty`](Self::allow_empty)), or
    ///   one of them cannot be stored; the error names the field and the limit.
    /// - [`LogClosed`](AppendError::LogClosed): the log is frozen, or an import or a copy fills it.
    /// - [`Database`](AppendError::Database): the database refused or failed;
    ///   [`is_retryable`](AppendError::is_retryable) tells whether to try again.
    ///
    /// # Example
    ///
    /// The application's own row and the event are committed together:
    ///
    /// ```
    /// use diesel::prelude::*;
    /// use diesel_event_store::{Error, EventStore, ExpectedVersion, NewEvent, StreamId, write_transaction};
    ///
    /// # fn main() -> Result<(), Error> {
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # diesel_event_store::run_pending_migrations(&mut conn)?;
    /// # diesel::sql_query("CREATE TABLE users (name TEXT NOT NULL)").execute(&mut conn)?;
    /// let store = EventStore::new();
    /// let alice = StreamId::new("User", "alice")?;
    /// write_transaction(&mut conn, |conn| -> Result<(), Error> {
    ///     diesel::sql_query("INSERT INTO users VALUES ('alice')").execute(conn)?;
    ///     let created = NewEvent::new("UserCreated", &"alice@example.com")?;
    ///     store.append(conn, &alice, ExpectedVersion::NoStream, &[created])?;
    ///     Ok(())
    /// })?;
    /// assert_eq!(store.version(&mut conn, &alice)?, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn append<C: EventConnection + ?Sized>(
        &self,
        conn: &mut C,
        stream: &StreamId,
        expected: ExpectedVersion,
        events: &[NewEvent],
    ) -> Result<Appended, AppendError> {
        now(append(*self, &mut conn.database(), stream, expected, events))
    }
}

pub(crate) async fn append<D: Append + Read>(
    store: EventStore,
    database: &mut D,
    stream: &StreamId,
    expected: ExpectedVersion,
    events: &[NewEvent],
) -> Result<Appended, AppendError> {
    if store.allow_empty && events.is_empty() {
        return append_nothing(database, stream, expected).await;
    }
    validate(store.max_json_bytes, expected, events)?;
    let batch = Batch { stream, expected, events, now: timestamp::now() };
    let outcome = match database.append(&batch).await {
        Ok(placement) => Ok(record(stream, events.iter().cloned(), batch.now, placement)),
        Err(error) => Err(find_duplicate(database, &batch, error).await),
    };
    report(&outcome);
    if outcome.is_ok() {
        wake_up::all();
    }
    outcome
}

/// The stream only has to be at the expected version.
async fn append_nothing<D: Read>(
    database: &mut D,
    stream: &StreamId,
    expected: ExpectedVersion,
) -> Result<Appended, AppendError> {
    expected.validate()?;
    let version = database.version(stream).await?;
    if expected.allows(version) {
        return Ok(Appended { previous_version: version, events: Vec::new() });
    }
    let conflict = Conflict { stream: stream.clone(), expected, actual: version };
    observe::conflict(&conflict);
    Err(conflict.into())
}

pub(crate) fn validate(
    max_json_bytes: usize,
    expected: ExpectedVersion,
    events: &[NewEvent],
) -> Result<(), AppendError> {
    expected.validate()?;
    if events.is_empty() {
        return Err(InvalidInput::new("events", Problem::Empty).into());
    }
    for (index, event) in events.iter().enumerate() {
        event.validate(max_json_bytes).map_err(|invalid| invalid.of_event(index))?;
    }
    refuse_repeated_ids(events)
}

fn refuse_repeated_ids(events: &[NewEvent]) -> Result<(), AppendError> {
    if events.len() == 1 {
        return Ok(()); // by far the most appends
    }
    let mut seen = HashSet::with_capacity(events.len());
    for (event_index, event) in events.iter().enumerate() {
        if !seen.insert(event.id()) {
            return Err(AppendError::DuplicateEventId { event_id: event.id(), event_index, recorded: None });
        }
    }
    Ok(())
}

/// Adds where the event is recorded whose id the append has used again.
pub(crate) async fn find_duplicate<D: Read>(
    database: &mut D,
    batch: &Batch<'_>,
    error: AppendError,
) -> AppendError {
    let AppendError::DuplicateEventId { event_id, event_index, .. } = error else { return error };
    let duplicate = |event| Box::new(Duplicate::new(event, batch.stream, &batch.events[event_index]));
    match find_recorded(database, event_id).await {
        Ok(found) => AppendError::DuplicateEventId { event_id, event_index, recorded: found.map(duplicate) },
        Err(lost) => lost,
    }
}

/// The event with this id. What the append has reported matters more to the caller than a failure to look that
/// up, but for one that says that the transaction is gone.
pub(crate) async fn find_recorded<D: Read>(
    database: &mut D,
    event_id: Uuid,
) -> Result<Option<RecordedEvent>, AppendError> {
    match database.read_event(event_id).await {
        Err(error) if DatabaseError::kind_of(&error) == DatabaseErrorKind::Deadlock => Err(error.into()),
        found => Ok(found.ok().flatten()),
    }
}

/// The events as the database has recorded them.
pub(crate) fn record(
    stream: &StreamId,
    events: impl IntoIterator<Item = NewEvent>,
    now: DateTime<Utc>,
    placement: Placement,
) -> Appended {
    let previous_version = placement.previous_version;
    let events = (1..)
        .zip(events)
        .zip(placement.positions)
        .map(|((nth, event), position)| event.record(stream, previous_version + nth, position, now))
        .collect();
    Appended { previous_version, events }
}

/// To the application's metrics and tracing events. A commit of the application may still have to follow.
pub(crate) fn report(outcome: &Result<Appended, AppendError>) {
    match outcome {
        Ok(appended) => observe::appended(appended),
        Err(AppendError::Conflict(conflict)) => observe::conflict(conflict),
        Err(_) => {}
    }
}
