//! What can go wrong, and what HTTP says then.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use deadpool::managed::{BuildError, PoolError};
use diesel_event_store::{AppendError, Error, RunAgain};
use serde::Serialize;

use crate::order::Rejected;

#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error(transparent)]
    Rejected(#[from] Rejected),
    #[error("there are not {pieces} pieces of {article} left")]
    SoldOut { article: String, pieces: i32 },
    /// The order is not at the version that the client has seen. To run the transaction again changes nothing.
    #[error("somebody else has changed the order since: {0}")]
    Changed(Box<AppendError>),
    #[error("Idempotency-Key must be visible ASCII")]
    IdempotencyKey,
    #[error("If-Match must be an order's ETag, a version in quotes")]
    IfMatch,
    #[error("Read-After must be a position, as a command returns it")]
    ReadAfter,
    #[error("no connection to the database: {0}")]
    Pool(#[from] PoolError<diesel::ConnectionError>),
    #[error(transparent)]
    PoolSettings(#[from] BuildError),
    #[error(transparent)]
    Store(#[from] diesel_event_store::Error),
    #[error("{0}")]
    Database(#[from] diesel::result::Error),
}

diesel_event_store::from_store_errors!(AppError);

/// So that the store knows when to run a whole transaction again.
impl RunAgain for AppError {
    fn may_run_again(&self) -> bool {
        match self {
            Self::Store(error) => error.may_run_again(),
            Self::Database(error) => error.may_run_again(),
            Self::Rejected(_)
            | Self::SoldOut { .. }
            | Self::Changed(_)
            | Self::IdempotencyKey
            | Self::IfMatch
            | Self::ReadAfter
            | Self::Pool(_)
            | Self::PoolSettings(_) => false,
        }
    }
}

impl AppError {
    fn status(&self) -> StatusCode {
        match self {
            Self::Rejected(Rejected::NotPlaced) => StatusCode::NOT_FOUND,
            Self::Rejected(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::SoldOut { .. } => StatusCode::CONFLICT,
            Self::Changed(_) => StatusCode::PRECONDITION_FAILED,
            Self::IdempotencyKey | Self::IfMatch | Self::ReadAfter => StatusCode::BAD_REQUEST,
            Self::Pool(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Store(error) => status_of(error),
            Self::Database(error) if error.may_run_again() => StatusCode::SERVICE_UNAVAILABLE,
            Self::PoolSettings(_) | Self::Database(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

fn status_of(error: &Error) -> StatusCode {
    match error {
        Error::Invalid(_) => StatusCode::BAD_REQUEST,
        Error::Append(AppendError::Invalid(_)) => StatusCode::BAD_REQUEST,
        // Another command has used the client's key.
        Error::Append(AppendError::KeyReused { .. }) => StatusCode::UNPROCESSABLE_ENTITY,
        // Every attempt has lost against others, or the database is not there.
        error if error.may_run_again() || error.is_retryable() => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

#[derive(Serialize)]
struct Problem {
    error: String,
}

impl IntoResponse for AppError {
    fn into_response(self) -> Response {
        let status = self.status();
        let message = match status {
            // What is inside is for the log, not for the client.
            StatusCode::INTERNAL_SERVER_ERROR => {
                tracing::error!(error = %self, "a request failed");
                "this is our fault".to_owned()
            }
            _ => self.to_string(),
        };
        let mut response = (status, Json(Problem { error: message })).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, 1.into());
        }
        response
    }
}
