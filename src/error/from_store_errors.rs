/// Lets `?` turn the error of every operation of this crate into the application's own error type, which is
/// made from [`Error`](crate::Error): one line instead of a `From` for each operation.
///
/// It implements `From` for every error of this crate except [`Error`](crate::Error) itself. It does not
/// implement `From<diesel::result::Error>`, which most applications want in a variant of their own. An
/// [`ExecuteError`](crate::ExecuteError) becomes what the rejection becomes, so the application's error is
/// also made from the errors with which its aggregates reject commands; from
/// [`Infallible`](std::convert::Infallible), for those that reject none, it is.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::{EventStore, ExpectedVersion, NewEvent, StreamId, write_transaction};
///
/// #[derive(Debug, thiserror::Error)]
/// enum AppError {
///     #[error(transparent)]
///     Store(#[from] diesel_event_store::Error),
///     #[error("{0}")]
///     Database(#[from] diesel::result::Error),
///     #[error("there is no such user")]
///     NoSuchUser,
/// }
///
/// diesel_event_store::from_store_errors!(AppError);
///
/// fn rename(conn: &mut SqliteConnection, user: &str, name: &str) -> Result<i64, AppError> {
///     let (store, stream) = (EventStore::new(), StreamId::new("User", user)?);
///     write_transaction(conn, |conn| {
///         let events = store.read_stream(conn, &stream, ..)?;
///         if events.is_empty() {
///             return Err(AppError::NoSuchUser);
///         }
///         let renamed = NewEvent::new("UserRenamed", &name)?;
///         let expected = ExpectedVersion::Exact(events.version());
///         Ok(store.append(conn, &stream, expected, &[renamed])?.version())
///     })
/// }
/// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// assert!(matches!(rename(&mut conn, "alice", "Alice"), Err(AppError::NoSuchUser)));
/// # Ok::<(), AppError>(())
/// ```
#[macro_export]
macro_rules! from_store_errors {
    ($error:ty) => {
        $crate::from_store_errors! {
            @each $error:
            $crate::AppendError, $crate::ReadError, $crate::CheckpointError, $crate::OrderingError,
            $crate::MigrationError, $crate::DecodeError, $crate::EventError, $crate::InvalidInput,
            $crate::DatabaseError, $crate::LoadError, $crate::operate::FreezeError,
            $crate::operate::SealError, $crate::projection::ProjectionError, $crate::projection::HandlerError
        }
        $crate::from_sqlite_errors!($error);
        $crate::from_transfer_errors!($error);

        impl ::core::convert::From<::core::convert::Infallible> for $error {
            fn from(never: ::core::convert::Infallible) -> Self {
                match never {}
            }
        }

        impl<E> ::core::convert::From<$crate::ExecuteError<E>> for $error
        where
            $error: ::core::convert::From<E>,
        {
            fn from(error: $crate::ExecuteError<E>) -> Self {
                match error.into_rejected() {
                    ::core::result::Result::Ok(rejection) => ::core::convert::From::from(rejection),
                    ::core::result::Result::Err(error) => {
                        ::core::convert::From::from($crate::Error::from(error))
                    }
                }
            }
        }
    };
    (@each $error:ty: $($operation:ty),+) => {
        $(
            impl ::core::convert::From<$operation> for $error {
                fn from(error: $operation) -> Self {
                    ::core::convert::From::from($crate::Error::from(error))
                }
            }
        )+
    };
}

// A `cfg` inside an exported macro would ask for a feature of the application.
#[cfg(feature = "sqlite")]
#[doc(hidden)]
#[macro_export]
macro_rules! from_sqlite_errors {
    ($error:ty) => {
        $crate::from_store_errors! {
            @each $error:
            $crate::sqlite::OptionsError, $crate::sqlite::WriterError, $crate::sqlite::WriteError
        }
    };
}

#[cfg(not(feature = "sqlite"))]
#[doc(hidden)]
#[macro_export]
macro_rules! from_sqlite_errors {
    ($error:ty) => {};
}

#[cfg(all(feature = "transfer", feature = "_blocking"))]
#[doc(hidden)]
#[macro_export]
macro_rules! from_transfer_errors {
    ($error:ty) => {
        $crate::from_store_errors! {
            @each $error:
            $crate::transfer::ExportError, $crate::transfer::ImportError, $crate::transfer::CopyError,
            $crate::transfer::ArchiveError
        }
    };
}

#[cfg(not(all(feature = "transfer", feature = "_blocking")))]
#[doc(hidden)]
#[macro_export]
macro_rules! from_transfer_errors {
    ($error:ty) => {};
}
