use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc::Sender;

use super::failures::Failures;
use super::health::Health;
use super::options::Options;
use crate::model::partition::Partition;
use crate::observe;
use crate::projection::activity::refuse_inactive;
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
    pub(super) health: Health,
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
        observe::projection::disturbed(&error);
        self.failures.add(error);
    }

    /// How the partitions of a projection are. Those that have stopped meanwhile are reported.
    pub(super) fn see(&self, projection: &Projection<C>, partitions: &[Partition]) {
        for stopped in self.health.see(projection.id(), partitions) {
            if let Err(error) = refuse_inactive(stopped) {
                observe::projection::is_stopped(&stopped.key, &error);
                self.failures.add(error);
            }
        }
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
