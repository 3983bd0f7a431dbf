//! How a failure of the database is reported, whichever database it is.

use diesel::result::{DatabaseErrorKind as DieselKind, Error};

use crate::storage::error_kind::DatabaseErrorKind;

/// The database did not do what it was asked: what kind of failure it was, what to do, and diesel's error as source.
///
/// It can be made from a [`diesel::result::Error`], so that the errors of this crate serve as the error type of
/// `conn.transaction(…)`.
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

    /// Whether the same may well succeed when it is run again. Inside a transaction of the application's that means
    /// the outermost transaction, and after [`ConnectionLost`](DatabaseErrorKind::ConnectionLost) a new connection.
    pub fn is_retryable(&self) -> bool {
        use DatabaseErrorKind::{ConnectionLost, Deadlock, Locked};
        matches!(self.kind, Locked | Deadlock | ConnectionLost)
    }

    /// What diesel reported.
    pub fn diesel_error(&self) -> &diesel::result::Error {
        &self.source
    }

    /// What diesel reported, without the rest.
    pub fn into_diesel_error(self) -> diesel::result::Error {
        self.source
    }
}

impl From<diesel::result::Error> for DatabaseError {
    fn from(source: diesel::result::Error) -> Self {
        Self { kind: classify(&source), source }
    }
}

/// The reader cannot find out who is appending, and nobody has published a position for it.
#[derive(Debug, thiserror::Error)]
#[error("no position is published")]
pub(crate) struct NotPublished;

impl From<NotPublished> for Error {
    fn from(error: NotPublished) -> Self {
        Error::QueryBuilderError(Box::new(error))
    }
}

/// What kind of failure it is. An error may come from the application's own statements in a transaction, so all
/// databases that are compiled in are asked; their messages are distinct.
pub(crate) fn classify(error: &Error) -> DatabaseErrorKind {
    match error {
        Error::DeserializationError(_) => DatabaseErrorKind::Unreadable,
        Error::BrokenTransactionManager => DatabaseErrorKind::ConnectionLost,
        Error::RollbackErrorOnCommit { commit_error, .. } => classify(commit_error),
        Error::DatabaseError(DieselKind::ClosedConnection, _) => DatabaseErrorKind::ConnectionLost,
        Error::DatabaseError(DieselKind::SerializationFailure, _) => DatabaseErrorKind::Deadlock,
        Error::DatabaseError(DieselKind::ReadOnlyTransaction, _) => DatabaseErrorKind::ReadOnly,
        Error::QueryBuilderError(error) if error.is::<NotPublished>() => DatabaseErrorKind::NotPublished,
        Error::DatabaseError(_, information) => classify_message(information.message()),
        _ => DatabaseErrorKind::Other,
    }
}

fn classify_message(message: &str) -> DatabaseErrorKind {
    let known: Option<DatabaseErrorKind> = None;
    #[cfg(feature = "sqlite")]
    let known = known.or_else(|| crate::storage::sqlite::error::classify(message));
    #[cfg(feature = "postgres")]
    let known = known.or_else(|| crate::storage::postgres::error::classify(message));
    #[cfg(feature = "mysql")]
    let known = known.or_else(|| crate::storage::mysql::error::classify(message));
    known.unwrap_or(DatabaseErrorKind::Other)
}

/// What the errors of the operations have in common: the database may be behind them.
pub(crate) trait OperationError: From<Error> {
    fn database_error(&self) -> Option<&DatabaseError>;
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
