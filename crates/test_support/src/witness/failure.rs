use diesel_event_store::projection::ProjectionError;
use diesel_event_store::{
    AppendError, CheckpointError, DatabaseError, DatabaseErrorKind, Error, MigrationError, OrderingError,
    ReadError,
};

/// What kind of failure of the database it was, if it was one.
pub fn kind(error: &Error) -> Option<DatabaseErrorKind> {
    match error {
        Error::Append(AppendError::Database(error))
        | Error::Read(ReadError::Database(error))
        | Error::Checkpoint(CheckpointError::Database(error))
        | Error::Ordering(OrderingError::Database(error))
        | Error::Migration(MigrationError::Database(error))
        | Error::Projection(ProjectionError::Database(error))
        | Error::Database(error) => Some(DatabaseError::kind(error)),
        _ => None,
    }
}

/// Whether the server has ended the connection. It must be told as something to be run again.
pub fn is_lost_connection(error: &Error) -> bool {
    kind(error) == Some(DatabaseErrorKind::ConnectionLost) && error.is_retryable()
}

/// In a transaction the end of the log cannot always be found out.
pub fn is_not_published(error: &Error) -> bool {
    kind(error) == Some(DatabaseErrorKind::NotPublished)
}
