use std::thread::{Builder, JoinHandle};

use crate::projection::error::ProjectionError;

/// The system may have no thread left.
pub(super) fn spawn(
    name: &str,
    work: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, ProjectionError> {
    Builder::new().name(name.to_owned()).spawn(work).map_err(ProjectionError::Thread)
}
