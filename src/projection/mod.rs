//! Read models that never miss an event and never apply one twice.

mod activity;
mod apply;
mod catch_up;
mod claims;
mod crew;
mod definition;
pub(crate) mod error;
mod feed;
pub(crate) mod handler;
mod operate;
mod policy;
mod progress;
mod repartition;
mod runner;
mod scout;
mod status;
mod worker;

pub use crate::model::parked::{ParkReason, ParkedEvent};
pub use crate::model::projection_id::ProjectionId;
pub use catch_up::CaughtUp;
pub use definition::{MAX_PARTITIONS, Projection};
pub use error::ProjectionError;
pub use handler::{FailureKind, HandlerError};
pub use operate::{discard_parked, parked, promote, reset, resume, retry_parked, wait_for};
pub use policy::OnFailure;
pub use progress::Progress;
pub use repartition::repartition;
pub use runner::{Runner, RunnerHandle};
pub use status::{PartitionStatus, ProjectionState, ProjectionStatus, status};
