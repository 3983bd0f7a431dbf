use std::ops::Deref;
use std::sync::Arc;

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

use super::connections::Connections;
use super::guard::Guard;
use super::trouble::Trouble;

/// What every page is made with.
#[derive(Clone)]
pub struct Site(Arc<Parts>);

pub struct Parts {
    pub connections: Connections,
    pub guard: Guard,
}

/// What is around every page.
#[derive(Template)]
#[template(path = "frame.html")]
struct Frame<'a> {
    database: &'a str,
    title: &'a str,
    content: String,
}

impl Site {
    pub fn new(connections: Connections, guard: Guard) -> Self {
        Self(Arc::new(Parts { connections, guard }))
    }

    /// A page, or what is wrong as one.
    pub fn show(&self, title: &str, page: Result<impl Template, Trouble>) -> Response {
        match page {
            Ok(page) => self.framed(StatusCode::OK, title, page.render()),
            Err(trouble) => self.trouble(trouble),
        }
    }

    /// A page that tells what is wrong.
    pub fn trouble(&self, trouble: Trouble) -> Response {
        self.framed(trouble.status(), "It cannot be shown", trouble.render())
    }

    fn framed(&self, status: StatusCode, title: &str, content: askama::Result<String>) -> Response {
        let database = self.connections.shown();
        let page = content.and_then(|content| Frame { database: &database, title, content }.render());
        match page {
            Ok(page) => (status, Html(page)).into_response(),
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
        }
    }
}

impl Deref for Site {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
