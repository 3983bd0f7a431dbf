use std::borrow::Cow;
use std::error::Error as StdError;
use std::ops::Deref;

type Boxed = Box<dyn StdError + Send + Sync>;

/// What a handler fails with, for [`HandlerError::failed`](super::HandlerError::failed): a text, any error, or
/// a report that has an error inside, such as `anyhow::Error`, `eyre::Report` and `Box<dyn Error + Send +
/// Sync>`.
///
/// `Kind` tells these apart. It is always inferred, except for an `Arc<dyn Error + Send + Sync>`, which is both
/// an error and a report: box it. It is then not seen that the error in the `Arc` itself is a deadlock, only that
/// one is behind it.
///
/// ```
/// use std::error::Error;
/// use std::sync::Arc;
///
/// use diesel_event_store::projection::HandlerError;
///
/// let deadlock = diesel::result::Error::DatabaseError(
///     diesel::result::DatabaseErrorKind::SerializationFailure,
///     Box::new("gave way".to_owned()),
/// );
/// assert!(HandlerError::failed(anyhow::Error::from(deadlock)).is_retryable());
/// assert!(!HandlerError::failed("no such customer").is_retryable());
///
/// let shared: Arc<dyn Error + Send + Sync> = Arc::new(std::io::Error::other("no such customer"));
/// let boxed: Box<dyn Error + Send + Sync> = Box::new(shared);
/// assert_eq!(HandlerError::failed(boxed).to_string(), "no such customer");
/// ```
#[diagnostic::on_unimplemented(
    message = "a handler cannot fail with `{Self}`",
    note = "it can fail with a text, with an error that is `Send`, `Sync` and `'static`, and with a report \
            like `anyhow::Error`"
)]
pub trait Cause<Kind>: Into<Boxed> {
    /// The error, as it is before it is boxed: a report does not let anyone see it any more in its box.
    #[doc(hidden)]
    fn error(&self) -> Option<&(dyn StdError + 'static)>;
}

#[doc(hidden)]
pub enum AnError {}

#[doc(hidden)]
pub enum AReport {}

#[doc(hidden)]
pub enum AText {}

impl<E: StdError + Send + Sync + 'static> Cause<AnError> for E {
    fn error(&self) -> Option<&(dyn StdError + 'static)> {
        Some(self)
    }
}

impl<R> Cause<AReport> for R
where
    R: Deref<Target = dyn StdError + Send + Sync> + Into<Boxed>,
{
    fn error(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&**self)
    }
}

impl Cause<AText> for &str {
    fn error(&self) -> Option<&(dyn StdError + 'static)> {
        None
    }
}

impl Cause<AText> for String {
    fn error(&self) -> Option<&(dyn StdError + 'static)> {
        None
    }
}

impl Cause<AText> for Cow<'_, str> {
    fn error(&self) -> Option<&(dyn StdError + 'static)> {
        None
    }
}
