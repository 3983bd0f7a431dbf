use std::time::Duration;

use super::failure_kind::FailureKind;

/// What a projection does about an event that its handler could not apply.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::projection::{OnFailure, Projection};
///
/// let mailing_list = Projection::new("mailing list", 1, |_conn: &mut SqliteConnection, _event| Ok(()))
///     .on_failure(OnFailure::Park)
///     .on_unknown_event_type(OnFailure::Skip);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnFailure {
    /// The partition stops before the event and is marked as failed, until [`resume`](super::resume) lets it
    /// try again. Nothing is lost, and nothing later is applied.
    Stop,
    /// The event is passed over, as if the projection's filter did not let it through. Nothing records it.
    Skip,
    /// The event is parked (dead-lettered), and so are later events of the same aggregate, in their order.
    /// Other aggregates go on.
    Park,
    /// The event is parked, and later events of the same aggregate are applied: for handlers that do not
    /// depend on the order.
    ParkAlone,
    /// The worker gives the partitions of the projection back, so that a worker of another release can apply
    /// the event, and stands aside for a lease, each time twice as long, for an hour at most: for [rolling
    /// deployments](crate::guide::projections#rolling-deployments). The status says since when and why. If no
    /// worker has applied the event `within` that time, the next one that cannot apply it stops the partition
    /// before it, as with `Stop`.
    HandOver {
        /// For how long the event may wait for a worker that can apply it, counted from the first failure.
        within: Duration,
    },
}

/// What a projection does about each kind of failure.
#[derive(Debug, Clone, Copy)]
pub(super) struct Policies {
    pub(super) failed: OnFailure,
    pub(super) undecodable: OnFailure,
    pub(super) unknown_event_type: OnFailure,
    pub(super) retry: Retry,
}

impl Default for Policies {
    fn default() -> Self {
        Self {
            failed: OnFailure::Stop,
            undecodable: OnFailure::Stop,
            unknown_event_type: OnFailure::Stop,
            retry: Retry { times: 2, first_pause: Duration::from_millis(100) },
        }
    }
}

impl Policies {
    pub(super) fn of(&self, kind: FailureKind) -> OnFailure {
        match kind {
            FailureKind::Failed => self.failed,
            FailureKind::Undecodable => self.undecodable,
            FailureKind::UnknownEventType => self.unknown_event_type,
        }
    }

    /// How long to pause before the next attempt, if there is to be one. An event that cannot be decoded, or
    /// whose type is not known, will not be next time either.
    pub(super) fn pause(&self, kind: FailureKind, attempts: i32) -> Option<Duration> {
        let is_worth_it = kind == FailureKind::Failed && attempts <= self.retry.times;
        is_worth_it.then(|| self.retry.pause(attempts))
    }
}

/// How often a failing handler is tried again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Retry {
    pub(super) times: i32,
    pub(super) first_pause: Duration,
}

const LONGEST_PAUSE: Duration = Duration::from_secs(60);

impl Retry {
    /// Each pause is twice as long as the one before.
    fn pause(&self, attempts: i32) -> Duration {
        let doublings = u32::try_from(attempts - 1).unwrap_or(0).min(20);
        self.first_pause.saturating_mul(1 << doublings).min(LONGEST_PAUSE)
    }
}
