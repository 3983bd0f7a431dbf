use diesel::result::{DatabaseErrorKind as DieselKind, Error};

use crate::storage::error_kind::DatabaseErrorKind;
use crate::storage::refused::Refused;

/// What kind of failure an error of diesel's is. `of_message` knows what a database's messages mean.
pub(crate) fn kind_of(
    error: &Error,
    of_message: impl Fn(&str) -> Option<DatabaseErrorKind>,
) -> DatabaseErrorKind {
    match error {
        Error::DeserializationError(_) => DatabaseErrorKind::Unreadable,
        Error::BrokenTransactionManager => DatabaseErrorKind::ConnectionLost,
        Error::RollbackErrorOnCommit { commit_error, .. } => kind_of(commit_error, of_message),
        Error::DatabaseError(DieselKind::ClosedConnection, _) => DatabaseErrorKind::ConnectionLost,
        Error::DatabaseError(DieselKind::SerializationFailure, _) => DatabaseErrorKind::Deadlock,
        Error::DatabaseError(DieselKind::ReadOnlyTransaction, _) => DatabaseErrorKind::ReadOnly,
        Error::QueryBuilderError(error) => {
            error.downcast_ref().map_or(DatabaseErrorKind::Other, |refused: &Refused| refused.kind)
        }
        Error::DatabaseError(_, information) => {
            of_message(information.message()).unwrap_or(DatabaseErrorKind::Other)
        }
        _ => DatabaseErrorKind::Other,
    }
}
