use std::panic::{self, AssertUnwindSafe};
use std::time::{Duration, Instant};

use super::crew::Crew;
use super::failures::Failures;
use super::health::Health;
use super::options::Options;
use super::signals::Signals;
use super::unless::unless;
use crate::model::partition::Partition;
use crate::observe;
use crate::projection::activity::refuse_inactive;
use crate::projection::definition::Projection;
use crate::projection::error::ProjectionError;
use crate::projection::link::{IsAsked, pause};
use crate::projection::progress::Progress;

/// A pool may have no limit of its own, as r2d2's has.
const LONGEST_CONNECT: Duration = Duration::from_secs(30);

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
        self.connect_unless(&|| false).await?.ok_or_else(none_in_time)
    }

    /// The same for who may be asked to stop meanwhile: `None`, if that is so.
    pub(super) async fn connect_unless(
        &self,
        is_asked: &IsAsked<'_>,
    ) -> Result<Option<W::Link>, ProjectionError> {
        let longest = pause::<W::Link>(LONGEST_CONNECT, is_asked);
        match unless(longest, W::connect(&self.options.connect)).await {
            Some(connected) => connected.map(Some).map_err(ProjectionError::Connect),
            None if is_asked() => Ok(None),
            None => Err(none_in_time()),
        }
    }

    pub(super) fn projection(&self, index: usize) -> &Projection<W::Conn, W::Kind> {
        &self.options.projections[index]
    }

    pub(super) fn record_failure(&self, error: ProjectionError) {
        observe::projection::disturbed(&error);
        self.failures.add(error);
    }

    /// How the partitions of a projection are. Those that have stopped meanwhile are reported.
    /// Nobody has begun to read their rows before this time.
    pub(super) fn see(
        &self,
        projection: &Projection<W::Conn, W::Kind>,
        partitions: &[Partition],
        since: Instant,
    ) {
        for stopped in self.health.see(projection.id(), partitions, since) {
            if let Err(error) = refuse_inactive(stopped) {
                observe::projection::found_stopped(&stopped.key, &error);
                self.failures.add(error);
            }
        }
    }

    /// If the application wants to know.
    pub(super) fn report_progress(&self, progress: impl FnOnce() -> Progress) {
        let Some(on_progress) = &self.options.on_progress else { return };
        let progress = progress();
        // The panic's hook has reported it, and what is applied is committed already.
        let _ = panic::catch_unwind(AssertUnwindSafe(|| on_progress(&progress)));
    }
}

fn none_in_time() -> ProjectionError {
    ProjectionError::Connect(format!("there was none within {LONGEST_CONNECT:?}").into())
}
