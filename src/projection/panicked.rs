use std::any::Any;

/// What a panic in the application's code has said.
#[derive(Debug, thiserror::Error)]
#[error("{what} panicked: {message}")]
pub(super) struct Panicked {
    what: &'static str,
    message: String,
}

impl Panicked {
    pub(super) fn with(what: &'static str, payload: &(dyn Any + Send)) -> Self {
        let text = payload.downcast_ref::<&str>().map(ToString::to_string);
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
        Self { what, message: text.unwrap_or_else(|| "without a message".to_owned()) }
    }
}
