//! How a failure of the database is reported, whichever database it is.

use std::error::Error as StdError;
use std::iter::successors;

use diesel::result::Error;

use crate::model::log_state::LogClosed;
use crate::storage::error_kind::DatabaseErrorKind;
use crate::storage::kind_of::kind_of;

/// The database refused or failed: what kind of failure it was, what to do about it, and diesel's error as
/// source.
///
/// It can be made from a [`diesel::result::Error`], so that the errors of this crate serve as the error type
/// of `conn.transaction(…)`.
///
/// ```
/// use diesel_event_store::{DatabaseError, DatabaseErrorKind};
///
/// let error = DatabaseError::from(diesel::result::Error::NotFound);
/// assert_eq!(error.kind(), DatabaseErrorKind::Other);
/// assert!(!error.is_retryable());
/// ```
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", .kind.advice())]
pub struct DatabaseError {
    kind: DatabaseErrorKind,
    source: diesel::result::Error,
}

impl DatabaseError {
    /// What kind of failure it was.
    pub fn kind(&self) -> DatabaseErrorKind {
        self.kind
    }

    /// Whether the same may well succeed when it is run again. Inside a transaction of the application that
    /// means the outermost transaction, and after [`ConnectionLost`](DatabaseErrorKind::ConnectionLost) a new
    /// connection.
    pub fn is_retryable(&self) -> bool {
        self.kind.is_retryable()
    }

    /// What kind of failure diesel has reported.
    pub(crate) fn kind_of(error: &Error) -> DatabaseErrorKind {
        classify(error)
    }

    /// What diesel reported.
    pub fn diesel_error(&self) -> &diesel::result::Error {
        &self.source
    }

    /// What diesel reported, by value.
    pub fn into_diesel_error(self) -> diesel::result::Error {
        self.source
    }
}

impl From<diesel::result::Error> for DatabaseError {
    fn from(source: diesel::result::Error) -> Self {
        Self { kind: classify(&source), source }
    }
}

/// What kind of failure it is. An error may come from the application's own statements, on this connection
/// or on another, so all databases that are compiled in are asked; their messages are distinct. What has
/// become of a transaction does not follow from it.
fn classify(error: &Error) -> DatabaseErrorKind {
    kind_of(error, |message| {
        let known: Option<DatabaseErrorKind> = None;
        #[cfg(feature = "sqlite")]
        let known = known.or_else(|| crate::storage::sqlite::error::classify(message));
        #[cfg(feature = "_postgres")]
        let known = known.or_else(|| crate::storage::postgres::error::classify(message));
        #[cfg(feature = "_mysql")]
        let known = known.or_else(|| crate::storage::mysql::error::classify(message));
        known
    })
}

impl DatabaseErrorKind {
    /// Why the database refused or failed, if that is behind this error of the crate, however deep.
    ///
    /// ```
    /// use diesel_event_store::{DatabaseErrorKind, Error};
    ///
    /// let error = Error::from(diesel::result::Error::BrokenTransactionManager);
    /// assert_eq!(DatabaseErrorKind::behind(&error), Some(DatabaseErrorKind::ConnectionLost));
    /// assert_eq!(DatabaseErrorKind::behind(&std::io::Error::other("away")), None);
    /// ```
    pub fn behind(error: &(dyn StdError + 'static)) -> Option<Self> {
        chain(error).find_map(|error| match error.downcast_ref() {
            Some(error) => Some(classify(error)),
            None => error.is::<LogClosed>().then_some(Self::LogClosed),
        })
    }
}

fn chain<'e>(error: &'e (dyn StdError + 'static)) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    successors(Some(error), |error| (*error).source())
}

/// Whether an append was refused because the log takes no events, however deep inside this error that is
/// told.
pub(crate) fn is_log_closed(error: &(dyn StdError + 'static)) -> bool {
    chain(error).any(|error| {
        error.is::<LogClosed>()
            || error.downcast_ref().is_some_and(|error| classify(error) == DatabaseErrorKind::LogClosed)
    })
}

/// What kind of failure of the database is behind this error, however deep inside it that is told.
pub(crate) fn kind_inside(error: &(dyn StdError + 'static)) -> Option<DatabaseErrorKind> {
    let kind = |error: &(dyn StdError + 'static)| {
        let known = error.downcast_ref().map(DatabaseError::kind);
        known.or_else(|| error.downcast_ref().map(classify))
    };
    successors(Some(error), |error| (*error).source()).find_map(kind)
}

/// What a database has said that is behind this error, however deep inside it that is told.
pub(crate) fn message_inside<'e>(error: &'e (dyn StdError + 'static)) -> Option<&'e str> {
    let error = chain(error).find_map(|error| match error.downcast_ref() {
        Some(error) => Some(DatabaseError::diesel_error(error)),
        None => error.downcast_ref(),
    });
    message(error?)
}

fn message(error: &Error) -> Option<&str> {
    match error {
        Error::DatabaseError(_, information) => Some(information.message()),
        Error::RollbackErrorOnCommit { commit_error, .. } => message(commit_error),
        _ => None,
    }
}

/// Whether a transaction or savepoint could not be ended because the application had done so.
pub(crate) fn has_ended(error: &Error) -> bool {
    is_missing_savepoint(error) || classify(error) == DatabaseErrorKind::TransactionEnded
}

/// Whether a savepoint could not be ended because it was not there any more.
pub(crate) fn is_missing_savepoint(error: &Error) -> bool {
    let message = error.to_string();
    let is_missing = false;
    #[cfg(feature = "sqlite")]
    let is_missing = is_missing || crate::storage::sqlite::error::is_missing_savepoint(&message);
    #[cfg(feature = "_postgres")]
    let is_missing = is_missing || crate::storage::postgres::error::is_missing_savepoint(&message);
    #[cfg(feature = "_mysql")]
    let is_missing = is_missing || crate::storage::mysql::error::is_missing_savepoint(&message);
    is_missing
}

/// What the errors of the operations have in common: the database may be behind them.
pub(crate) trait OperationError: From<Error> {
    fn database_error(&self) -> Option<&DatabaseError>;

    /// Whether the database has rolled the transaction back so that another can go on.
    #[cfg(any(feature = "_postgres", feature = "_mysql"))]
    fn is_deadlock(&self) -> bool {
        self.database_error().map(DatabaseError::kind) == Some(DatabaseErrorKind::Deadlock)
    }
}

impl OperationError for DatabaseError {
    fn database_error(&self) -> Option<&DatabaseError> {
        Some(self)
    }
}

/// `?` on a diesel error, and the bound of `conn.transaction`, go through [`DatabaseError`].
macro_rules! operation_error {
    ($error:ident) => {
        impl $crate::storage::error::OperationError for $error {
            fn database_error(&self) -> Option<&$crate::storage::error::DatabaseError> {
                match self {
                    $error::Database(error) => Some(error),
                    _ => None,
                }
            }
        }

        impl From<diesel::result::Error> for $error {
            fn from(error: diesel::result::Error) -> Self {
                $error::Database(error.into())
            }
        }
    };
}

pub(crate) use operation_error;
