use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc::Sender;

use super::failures::Failures;
use super::options::Options;
use crate::projection::definition::Projection;
use crate::projection::error::ProjectionError;
use crate::projection::panicked::Panicked;
use crate::projection::progress::Progress;

/// What the thread that manages the others is told.
pub(super) enum Signal {
    Stop,
    /// A thread that applies a partition has ended.
    Ended,
}

/// What the threads of a runner share.
pub(super) struct Context<C> {
    pub(super) options: Options<C>,
    /// The name of this worker among all that run the same projections.
    pub(super) worker: String,
    pub(super) signal: Sender<Signal>,
    pub(super) failures: Failures,
}

impl<C> Context<C> {
    pub(super) fn connect(&self) -> Result<C, ProjectionError> {
        panic::catch_unwind(AssertUnwindSafe(|| (self.options.connect)()))
            .unwrap_or_else(|panic| Err(Box::new(Panicked::with("the function that connects", &*panic))))
            .map_err(ProjectionError::Connect)
    }

    pub(super) fn projection(&self, index: usize) -> &Projection<C> {
        &self.options.projections[index]
    }

    pub(super) fn has_failed(&self, error: ProjectionError) {
        self.failures.add(error);
    }

    pub(super) fn has_progressed(&self, progress: &Progress) {
        let Some(on_progress) = &self.options.on_progress else { return };
        // The panic's hook has reported it, and what is applied is committed already.
        let _ = panic::catch_unwind(AssertUnwindSafe(|| on_progress(progress)));
    }

    /// The manager may have ended already.
    pub(super) fn has_ended(&self) {
        let _ = self.signal.send(Signal::Ended);
    }
}
