//! What the errors of the store are called for programs, and what to type then.

use diesel_event_store::operate::{FreezeError, SealError};
use diesel_event_store::projection::ProjectionError;
use diesel_event_store::transfer::{ArchiveError, CopyError, ExportError, ImportError};
use diesel_event_store::{
    AppendError, CheckpointError, DatabaseErrorKind, Error, LoadError, OrderingError, ReadError,
};

/// Whether what was typed cannot be stored or asked for.
pub fn is_of_usage(error: &Error) -> bool {
    matches!(
        error,
        Error::Invalid(_)
            | Error::Append(AppendError::Invalid(_))
            | Error::Archive(ArchiveError::Invalid(_))
            | Error::Checkpoint(CheckpointError::Invalid(_))
            | Error::Copy(CopyError::Invalid(_))
            | Error::Freeze(FreezeError::Invalid(_))
            | Error::Load(LoadError::Invalid(_))
            | Error::Ordering(OrderingError::Invalid(_))
            | Error::Projection(ProjectionError::Invalid(_))
            | Error::Read(ReadError::Invalid(_))
    )
}

pub fn code(error: &Error) -> &'static str {
    match kind(error) {
        _ if error.conflict().is_some() => "conflict",
        Some(DatabaseErrorKind::Locked) => "locked",
        Some(DatabaseErrorKind::Deadlock) => "deadlock",
        Some(DatabaseErrorKind::NotMigrated) => "not_migrated",
        Some(DatabaseErrorKind::ReadOnly) => "read_only",
        Some(DatabaseErrorKind::Full) => "full",
        Some(DatabaseErrorKind::Corrupt) => "corrupt",
        Some(DatabaseErrorKind::Unreadable) => "unreadable",
        Some(DatabaseErrorKind::Io) => "io",
        Some(DatabaseErrorKind::AppendOnly) => "append_only",
        Some(DatabaseErrorKind::LogClosed) => "log_closed",
        Some(DatabaseErrorKind::NotPublished) => "not_published",
        Some(DatabaseErrorKind::NotPermitted) => "not_permitted",
        Some(DatabaseErrorKind::NeedsRepair) => "needs_repair",
        Some(DatabaseErrorKind::OtherServer) => "other_server",
        Some(DatabaseErrorKind::UnsuitableSetting) => "unsuitable_setting",
        Some(DatabaseErrorKind::TooLarge) => "too_large",
        Some(DatabaseErrorKind::ConnectionLost) => "connection_lost",
        Some(DatabaseErrorKind::ForeignTransaction) => "foreign_transaction",
        Some(DatabaseErrorKind::TransactionEnded) => "transaction_ended",
        _ => "store",
    }
}

pub fn advice(error: &Error) -> Option<&'static str> {
    match kind(error)? {
        DatabaseErrorKind::NotMigrated => Some("diesel-event-store migrate"),
        DatabaseErrorKind::NeedsRepair => Some("diesel-event-store repair"),
        DatabaseErrorKind::LogClosed => Some("to see why: diesel-event-store status"),
        _ => None,
    }
}

fn kind(error: &Error) -> Option<DatabaseErrorKind> {
    match error {
        Error::Archive(ArchiveError::LogClosed(_))
        | Error::Export(ExportError::Receiving(_))
        | Error::Freeze(FreezeError::LogClosed(_))
        | Error::Import(ImportError::LogClosed(_))
        | Error::Seal(SealError::LogClosed(_)) => Some(DatabaseErrorKind::LogClosed),
        error => DatabaseErrorKind::behind(error),
    }
}
