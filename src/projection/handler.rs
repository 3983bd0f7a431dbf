use std::any::Any;
use std::error::Error as StdError;
use std::fmt;
use std::ops::DerefMut;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::failure_kind::FailureKind;
use super::panicked::Panicked;
use super::policy::OnFailure;
use crate::model::event::RecordedEvent;
use crate::model::position::Position;
use crate::storage::error::{is_log_closed, kind_inside, message_inside};
use crate::storage::error_kind::DatabaseErrorKind;

type Each<C> = dyn Fn(&mut C, &RecordedEvent) -> Result<(), HandlerError> + Send + Sync;
type Batch<C> = dyn Fn(&mut C, &[RecordedEvent]) -> Result<(), HandlerError> + Send + Sync;

/// What an application does with events.
pub enum Handler<C> {
    Each(Box<Each<C>>),
    Batch(Box<Batch<C>>),
}

impl<C> Handler<C> {
    /// An error of a handler that takes one event at a time says which event it was.
    pub(super) fn handle(&self, conn: &mut C, events: &[RecordedEvent]) -> Result<(), HandlerError> {
        match self {
            Self::Each(handler) => events.iter().try_for_each(|event| {
                guarded(|| handler(conn, event)).map_err(|error| error.at(event.position()))
            }),
            Self::Batch(handler) => guarded(|| handler(conn, events)),
        }
    }

    pub(super) fn lent_by<P>(self) -> Handler<P>
    where
        C: 'static,
        P: DerefMut<Target = C>,
    {
        match self {
            Self::Each(handler) => Handler::Each(Box::new(move |conn: &mut P, event| handler(conn, event))),
            Self::Batch(handler) => {
                Handler::Batch(Box::new(move |conn: &mut P, events| handler(conn, events)))
            }
        }
    }
}

/// A panic is a failure like any other: the caller rolls back what was done. The handler is only borrowed, so
/// it has nothing of its own that could be half-done.
fn guarded(handler: impl FnOnce() -> Result<(), HandlerError>) -> Result<(), HandlerError> {
    let handled = catch_unwind(AssertUnwindSafe(|| handler().inspect_err(HandlerError::try_out)));
    handled.unwrap_or_else(|panic| Err(HandlerError::panicked(&*panic)))
}

/// Why a handler could not apply an event. Any error becomes one with `?`. Its kind decides what the
/// projection does about it.
///
/// - [`FailureKind::Undecodable`]: a [`DecodeError`](crate::DecodeError), as [`RecordedEvent::payload`]
///   returns it, or an [`EventError`](crate::EventError) about content.
/// - [`FailureKind::UnknownEventType`]: made by [`unknown_event_type`](Self::unknown_event_type), or an
///   [`EventError`](crate::EventError) about a type or a newer version.
/// - [`FailureKind::Failed`]: everything else. A database error that is worth another try (a deadlock, a lost
///   connection) is not counted as a failure, and neither is a [`Conflict`](crate::Conflict): the batch is
///   run again. If the handler has appended and the log is closed, the partition waits until it is open.
///
/// ```
/// use diesel_event_store::projection::{FailureKind, HandlerError};
///
/// fn parse(number: &str) -> Result<u64, HandlerError> {
///     Ok(number.parse()?)
/// }
///
/// assert_eq!(parse("three").unwrap_err().kind(), FailureKind::Failed);
/// ```
pub struct HandlerError {
    kind: FailureKind,
    is_retryable: bool,
    /// Whether that is because the database has found others in its way.
    is_collision: bool,
    /// What the handler wants to be done, instead of what the projection's policy says.
    policy: Option<OnFailure>,
    /// Where the event is at which it failed, if that is known.
    position: Option<Position>,
    error: Box<dyn StdError + Send + Sync>,
}

impl HandlerError {
    pub(crate) fn new(kind: FailureKind, is_retryable: bool, error: Box<dyn StdError + Send + Sync>) -> Self {
        Self { kind, is_retryable, is_collision: false, policy: None, position: None, error }
    }

    pub(crate) fn with_policy(self, policy: OnFailure) -> Self {
        Self { policy: Some(policy), ..self }
    }

    pub(crate) fn collision(self, is_collision: bool) -> Self {
        Self { is_collision, ..self }
    }

    pub(super) fn panicked(panic: &(dyn Any + Send)) -> Self {
        Self::new(FailureKind::Failed, false, Box::new(Panicked::with("the handler", panic)))
    }

    /// An error of the application may panic when it is asked what it is: then it does so here, where that is
    /// caught.
    pub(super) fn try_out(&self) {
        let _ = self.to_string();
    }

    pub(super) fn at(self, position: Position) -> Self {
        Self { position: Some(position), ..self }
    }

    /// Which of these events it was, if that is known.
    pub(super) fn index_in(&self, events: &[RecordedEvent]) -> Option<usize> {
        events.iter().position(|event| Some(event.position()) == self.position)
    }

    /// Whether it was a panic, which leaves open whatever transactions were open.
    pub(super) fn is_panic(&self) -> bool {
        self.error.is::<Panicked>()
    }

    pub(super) fn policy(&self) -> Option<OnFailure> {
        self.policy
    }

    /// For the last arm of a handler's `match`.
    ///
    /// ```
    /// use diesel_event_store::RecordedEvent;
    /// use diesel_event_store::projection::HandlerError;
    ///
    /// fn apply(event: &RecordedEvent) -> Result<(), HandlerError> {
    ///     match event.event_type() {
    ///         "OrderPlaced" => Ok(()),
    ///         _ => Err(HandlerError::unknown_event_type(event)),
    ///     }
    /// }
    /// ```
    pub fn unknown_event_type(event: &RecordedEvent) -> Self {
        let error = format!("the handler does not know the event type {:?}", event.event_type());
        Self::new(FailureKind::UnknownEventType, false, error.into())
    }

    /// The kind of failure.
    pub fn kind(&self) -> FailureKind {
        self.kind
    }

    /// Whether the same may succeed when it is run again: the error is a deadlock, a lock, a lost connection, a
    /// lost race or a closed log, or was made by [`retry`](Self::retry). Inside a transaction of the application
    /// that means the outermost transaction.
    ///
    /// ```
    /// use diesel_event_store::projection::HandlerError;
    ///
    /// assert!(HandlerError::retry("the exchange rate is being updated").is_retryable());
    /// assert!(!HandlerError::failed("no such customer").is_retryable());
    /// ```
    pub fn is_retryable(&self) -> bool {
        self.is_retryable
    }

    /// Whether the handler has appended, and the log takes no events for now.
    pub(super) fn is_log_closed(&self) -> bool {
        is_log_closed(&*self.error)
    }

    /// Whether a lock was in the way.
    pub(super) fn is_locked(&self) -> bool {
        kind_inside(&*self.error) == Some(DatabaseErrorKind::Locked)
    }

    /// What a database has said, if that is behind it: the one that has called the handler, or another.
    pub(super) fn message_of_database(&self) -> Option<&str> {
        message_inside(&*self.error)
    }

    /// As a failure like any other, although the same may succeed when it is run again.
    pub(super) fn counted(self) -> Self {
        Self { is_retryable: false, ..self }
    }

    /// Whether the database has rolled it back for another transaction's sake: after a deadlock, for
    /// instance.
    pub(crate) fn is_collision(&self) -> bool {
        self.is_collision
    }

    pub(crate) fn error(&self) -> &(dyn StdError + 'static) {
        &*self.error
    }

    /// The error itself.
    pub fn into_error(self) -> Box<dyn StdError + Send + Sync> {
        self.error
    }
}

/// So that `?` works in an application's own transaction around
/// [`apply_inline`](super::Projection::apply_inline).
impl From<HandlerError> for Box<dyn StdError + Send + Sync> {
    fn from(error: HandlerError) -> Self {
        error.error
    }
}

impl From<HandlerError> for Box<dyn StdError> {
    fn from(error: HandlerError) -> Self {
        error.error
    }
}

impl fmt::Display for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl fmt::Debug for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandlerError").field("kind", &self.kind).field("error", &self.error).finish()
    }
}
