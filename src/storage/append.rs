use std::ops::RangeInclusive;

use chrono::{DateTime, Utc};
use diesel::result::QueryResult;
use uuid::Uuid;

use crate::model::duplicate::Duplicate;
use crate::model::event::{NewEvent, RecordedEvent};
use crate::model::expected_version::{Conflict, ExpectedVersion};
use crate::model::invalid::{InvalidInput, Problem};
use crate::model::log_state::LogClosed;
use crate::model::position::Position;
use crate::model::stream_id::StreamId;
use crate::storage::error::{DatabaseError, OperationError};
use crate::storage::error_kind::DatabaseErrorKind;
use crate::storage::operations::operations;
use crate::storage::refused::Refused;

operations! {
    pub(crate) trait Append {
        /// Appends the batch, which is validated, or nothing of it.
        fn append(&mut self, batch: &Batch<'_>) -> Result<Placement, AppendError>;

        /// Inside a transaction of the application, before a stream is read that will be appended to: keeps
        /// other appends to it out until the transaction ends, where what is read afterwards is then the
        /// newest.
        fn lock_head(&mut self, stream: &StreamId) -> QueryResult<()>;
    }
}

/// Events that are to be appended to one stream, all or nothing.
#[derive(Clone, Copy)]
pub(crate) struct Batch<'a> {
    pub(crate) stream: &'a StreamId,
    pub(crate) expected: ExpectedVersion,
    pub(crate) events: &'a [NewEvent],
    pub(crate) now: DateTime<Utc>,
}

impl Batch<'_> {
    pub(crate) fn len(&self) -> i64 {
        i64::try_from(self.events.len()).expect("a slice is never that long")
    }

    /// The versions from which a head that exists may be moved. None of them would overflow.
    pub(crate) fn acceptable_versions(&self) -> RangeInclusive<i64> {
        let highest = i64::MAX - self.len();
        match self.expected {
            ExpectedVersion::Any => 0..=highest,
            ExpectedVersion::NoStream => 0..=0,
            ExpectedVersion::StreamExists => 1..=highest,
            ExpectedVersion::Exact(version) => version..=version.min(highest),
        }
    }

    /// The id of this event is recorded already.
    pub(crate) fn duplicate(&self, event_index: usize) -> AppendError {
        AppendError::DuplicateEventId { event_id: self.events[event_index].id(), event_index, recorded: None }
    }

    /// The version of the aggregate, from that of its head and that of its last event. Without events it is
    /// the head's: they were archived or erased.
    pub(crate) fn version((head, last): (Option<i64>, Option<i64>)) -> QueryResult<i64> {
        let head = head.unwrap_or(0);
        match last {
            Some(last) if last != head => {
                let reason =
                    format!("aggregate_heads says version {head}, the last event has version {last}");
                Err(Refused::error(DatabaseErrorKind::NeedsRepair, reason))
            }
            _ => Ok(head),
        }
    }

    /// Why the head was not moved, with the aggregate at version `actual`.
    pub(crate) fn refusal(&self, actual: i64) -> AppendError {
        if !self.expected.allows(actual) {
            return Conflict { stream: self.stream.clone(), expected: self.expected, actual }.into();
        }
        if self.acceptable_versions().contains(&actual) {
            return Refused::dropped_by_trigger("the head").into();
        }
        let problem = Problem::VersionOverflow { version: actual, events: self.events.len() };
        InvalidInput::new("events", problem).into()
    }
}

/// Where a batch has been put.
pub(crate) struct Placement {
    pub(crate) previous_version: i64,
    /// Of each event of the batch, in its order.
    pub(crate) positions: Vec<Position>,
}

/// Why an append wrote nothing.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::{AppendError, EventStore, ExpectedVersion, NewEvent, StreamId};
///
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// # let (store, alice) = (EventStore::new(), StreamId::new("User", "alice")?);
/// let renamed = [NewEvent::new("UserRenamed", &"Alice")?];
/// match store.append(&mut conn, &alice, ExpectedVersion::Exact(3), &renamed) {
///     Ok(appended) => println!("at version {}", appended.version()),
///     Err(AppendError::Conflict(conflict)) => println!("another writer was faster: {conflict}"),
///     Err(error) if error.is_retryable() => println!("try again: {error}"),
///     Err(error) => return Err(error.into()),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// The aggregate is not at the expected version: read it again and decide anew. It is also the source, so
    /// that it is known for what it is inside any error of the application.
    #[error("{0}")]
    Conflict(#[from] Conflict),
    /// An event with this id is recorded already, or comes twice in the batch. It is reported before a
    /// conflict: after a failure that left open whether an append went through, repeating it with the same
    /// events and the same expected version says that it did, and [`Duplicate`] says where they are.
    #[error("an event with the id {event_id} (event {event_index} of the batch) is recorded already")]
    #[non_exhaustive]
    DuplicateEventId {
        /// The id that comes twice.
        event_id: Uuid,
        /// Which event of the batch has it, counted from 0.
        event_index: usize,
        /// The recorded event that has it. `None` if the id comes twice in the batch, and where the
        /// transaction cannot see the event: another one has recorded the id at the same moment, which on
        /// PostgreSQL aborts the application's transaction, or has done so since the snapshot of a REPEATABLE
        /// READ transaction on MySQL.
        recorded: Option<Box<Duplicate>>,
    },
    /// The idempotency key was used before, for something else. This request needs a key of its own.
    #[error("the idempotency key {idempotency_key:?} was used before, for {}", used_for(recorded.as_deref()))]
    #[non_exhaustive]
    KeyReused {
        /// The key.
        idempotency_key: String,
        /// The first event that was recorded with it. `None` if events that were recorded with it have been
        /// erased since: it cannot be told any more whether this is the same request, and the result of the
        /// first one is gone.
        recorded: Option<Box<RecordedEvent>>,
    },
    /// The log takes no events: it is frozen, or an import fills it. It is also the source, so that it is
    /// known for what it is inside any error of the application.
    #[error("{0}")]
    LogClosed(#[from] LogClosed),
    /// Something that cannot be kept.
    #[error(transparent)]
    Invalid(#[from] InvalidInput),
    /// The database refused or failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

fn used_for(recorded: Option<&RecordedEvent>) -> String {
    match recorded {
        Some(event) => format!("{} in {}, version {}", event.event_type(), event.stream(), event.version()),
        None => "events that have been erased since".to_owned(),
    }
}

impl AppendError {
    pub(crate) fn key_reused(key: &str, recorded: Option<RecordedEvent>) -> Self {
        Self::KeyReused { idempotency_key: key.to_owned(), recorded: recorded.map(Box::new) }
    }

    /// The conflict, if it is one.
    ///
    /// ```
    /// use diesel_event_store::AppendError;
    ///
    /// let error = AppendError::from(diesel::result::Error::NotFound);
    /// assert!(error.conflict().is_none());
    /// ```
    pub fn conflict(&self) -> Option<&Conflict> {
        match self {
            AppendError::Conflict(conflict) => Some(conflict),
            _ => None,
        }
    }

    /// Whether the same append may well succeed when the outermost transaction is run again. A conflict is
    /// not of this kind: it needs a new decision.
    ///
    /// ```
    /// use diesel_event_store::AppendError;
    ///
    /// assert!(!AppendError::from(diesel::result::Error::NotFound).is_retryable());
    /// ```
    pub fn is_retryable(&self) -> bool {
        self.database_error().is_some_and(DatabaseError::is_retryable)
    }
}

impl OperationError for AppendError {
    fn database_error(&self) -> Option<&DatabaseError> {
        match self {
            Self::Database(error) => Some(error),
            _ => None,
        }
    }
}

/// The databases tell of a closed log as they tell of everything else.
impl From<diesel::result::Error> for AppendError {
    fn from(error: diesel::result::Error) -> Self {
        match LogClosed::parse(&error.to_string()) {
            Some(closed) => closed.into(),
            None => Self::Database(error.into()),
        }
    }
}
