use crate::model::event::{NewEvent, RecordedEvent};
use crate::model::stream_id::StreamId;

/// The recorded event whose id an append has used again, so that a repeated request can be answered like the
/// first.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::{AppendError, EventStore, ExpectedVersion, NewEvent, StreamId};
///
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// # let (store, account) = (EventStore::new(), StreamId::new("Account", 7)?);
/// # let request_id = uuid::Uuid::from_u128(7);
/// let mut deposit = |cents: i64| {
///     let deposited = [NewEvent::new("Deposited", &cents)?.with_id(request_id)];
///     match store.append(&mut conn, &account, ExpectedVersion::Any, &deposited) {
///         Ok(appended) => Ok(appended.version()),
///         Err(AppendError::DuplicateEventId { recorded: Some(duplicate), .. }) if duplicate.is_same_event() => {
///             Ok(duplicate.event().version())
///         }
///         Err(error) => Err(diesel_event_store::Error::from(error)),
///     }
/// };
/// assert_eq!(deposit(100)?, 1);
/// assert_eq!(deposit(100)?, 1); // the same request again
/// assert!(deposit(999).is_err()); // another request with the same id
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate {
    event: RecordedEvent,
    is_same_event: bool,
}

impl Duplicate {
    pub(crate) fn new(event: RecordedEvent, stream: &StreamId, refused: &NewEvent) -> Self {
        let is_same_event = event.stream == *stream && event.content.says_the_same(&refused.content);
        Self { event, is_same_event }
    }

    /// The event that has the id: its stream, version and position say where it is recorded.
    pub fn event(&self) -> &RecordedEvent {
        &self.event
    }

    /// Whether it is the event that was to be appended: in the same stream, of the same type and version of
    /// the type, with the same payload, to the character. Metadata, ids other than the event's own and times
    /// may differ from one request to its repetition, and are not compared.
    pub fn is_same_event(&self) -> bool {
        self.is_same_event
    }
}
