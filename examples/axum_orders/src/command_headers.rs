//! What the headers of a request say about a command.

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::IF_MATCH;
use axum::http::request::Parts;
use diesel_event_store::{Aggregate, AggregateRef, AsyncEventStore, ExecuteError, ExpectedVersion};

use crate::error::AppError;
use crate::order::Rejected;

type Told<A> = AggregateRef<A, AsyncEventStore>;

/// `Idempotency-Key`, `If-Match` and the trace id of `traceparent`.
#[derive(Debug, Default)]
pub struct CommandHeaders {
    key: Option<String>,
    expected: Option<ExpectedVersion>,
    trace: Option<String>,
}

impl CommandHeaders {
    fn of(headers: &HeaderMap) -> Result<Self, AppError> {
        let key = match headers.get("idempotency-key") {
            Some(key) => Some(key.to_str().map_err(|_| AppError::IdempotencyKey)?.to_owned()),
            None => None,
        };
        let expected = match headers.get(IF_MATCH) {
            Some(tag) => Some(version_of(tag.to_str().unwrap_or_default())?),
            None => None,
        };
        let trace = headers.get("traceparent").and_then(|parent| trace_of(parent.to_str().ok()?));
        Ok(Self { key, expected, trace })
    }

    /// The same for the order: once per key, as the client saw it, with the id under which traces know it.
    pub fn apply<A: Aggregate>(&self, mut aggregate: Told<A>) -> Told<A> {
        if let Some(key) = &self.key {
            aggregate = aggregate.idempotency_key(key);
        }
        if let Some(trace) = &self.trace {
            aggregate = aggregate.correlation_id(trace);
        }
        match self.expected {
            Some(version) => aggregate.expecting(version),
            None => aggregate,
        }
    }

    /// A conflict is final where the client has said which version it saw.
    pub fn refused(&self, error: ExecuteError<Rejected>) -> AppError {
        match error {
            ExecuteError::Append(error) if self.expected.is_some() && error.conflict().is_some() => {
                AppError::Changed(Box::new(error))
            }
            error => error.into(),
        }
    }
}

/// A command does not fail because of what its trace is called: one that is malformed is none.
fn trace_of(parent: &str) -> Option<String> {
    let id = parent.split('-').nth(1)?;
    let is_id = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then(|| id.to_owned())
}

/// `ETag` is the version of the order.
fn version_of(tag: &str) -> Result<ExpectedVersion, AppError> {
    let version = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
    let version = version.and_then(|version| version.parse().ok()).ok_or(AppError::IfMatch)?;
    Ok(ExpectedVersion::Exact(version))
}

impl<S: Sync> FromRequestParts<S> for CommandHeaders {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AppError> {
        Self::of(&parts.headers)
    }
}
