use askama::Template;
use axum::http::StatusCode;

use crate::failure::Failure;

/// Why there is no page.
#[derive(Template)]
#[template(path = "trouble.html")]
pub struct Trouble {
    kind: Kind,
    message: String,
    advice: Option<String>,
}

enum Kind {
    Wrong,
    Missing,
    Failed,
}

impl Trouble {
    /// The address asks for what cannot be.
    pub fn wrong(message: impl Into<String>) -> Self {
        Self { kind: Kind::Wrong, message: message.into(), advice: None }
    }

    /// There is no such thing.
    pub fn missing(message: impl Into<String>) -> Self {
        Self { kind: Kind::Missing, message: message.into(), advice: None }
    }

    pub fn status(&self) -> StatusCode {
        match self.kind {
            Kind::Wrong => StatusCode::BAD_REQUEST,
            Kind::Missing => StatusCode::NOT_FOUND,
            Kind::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        let kind = match failure {
            Failure::Usage(_) => Kind::Wrong,
            _ => Kind::Failed,
        };
        let advice = failure.advice_text().map(str::to_owned);
        Self { kind, message: failure.to_string(), advice }
    }
}
