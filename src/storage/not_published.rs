use diesel::result::Error;

/// The reader cannot find out which appends are under way, and no position was published for it.
#[derive(Debug, thiserror::Error)]
#[error("no position is published")]
pub(crate) struct NotPublished;

impl From<NotPublished> for Error {
    fn from(error: NotPublished) -> Self {
        Error::QueryBuilderError(Box::new(error))
    }
}
