use std::panic::{self, AssertUnwindSafe};

use super::crew::Crew;
use super::failures::Failures;
use super::health::Health;
use super::options::Options;
use super::signals::Signals;
use crate::model::partition::Partition;
use crate::observe;
use crate::projection::activity::refuse_inactive;
use crate::projection::definition::Projection;
use crate::projection::error::ProjectionError;
use crate::projection::progress::Progress;

/// What the crew of a runner shares.
pub(in crate::projection) struct Context<W: Crew> {
    pub(super) options: Options<W>,
    /// The name of this worker among all that run the same projections.
    pub(super) worker: String,
    pub(in crate::projection) signals: Signals,
    pub(in crate::projection) failures: Failures,
    pub(in crate::projection) health: Health,
}

impl<W: Crew> Context<W> {
    pub(super) async fn connect(&self) -> Result<W::Link, ProjectionError> {
        W::connect(&self.options.connect).await.map_err(ProjectionError::Connect)
    }

    pub(super) fn projection(&self, index: usize) -> &Projection<W::Conn, W::Kind> {
        &self.options.projections[index]
    }

    pub(super) fn record_failure(&self, error: ProjectionError) {
        observe::projection::disturbed(&error);
        self.failures.add(error);
    }

    /// How the partitions of a projection are. Those that have stopped meanwhile are reported.
    pub(super) fn see(&self, projection: &Projection<W::Conn, W::Kind>, partitions: &[Partition]) {
        for stopped in self.health.see(projection.id(), partitions) {
            if let Err(error) = refuse_inactive(stopped) {
                observe::projection::found_stopped(&stopped.key, &error);
                self.failures.add(error);
            }
        }
    }

    pub(super) fn report_progress(&self, progress: &Progress) {
        let Some(on_progress) = &self.options.on_progress else { return };
        // The panic's hook has reported it, and what is applied is committed already.
        let _ = panic::catch_unwind(AssertUnwindSafe(|| on_progress(progress)));
    }
}
