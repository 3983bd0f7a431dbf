//! Read models that never miss an event and never apply one twice.

mod activity;
mod apply;
#[cfg(feature = "_async")]
mod asynchronous;
mod catch_up;
mod cause;
mod definition;
pub(crate) mod error;
mod failure_kind;
pub(crate) mod handler;
mod inline;
mod kind;
mod link;
mod operate;
mod page;
mod panicked;
mod parked;
mod partitions;
mod policy;
mod progress;
mod promote;
mod repartition;
mod reset;
mod runner;
mod runs;
mod start_from;
mod status;
mod storable;
mod transaction;
mod typed;

pub use crate::model::parked::{ParkReason, ParkedEvent};
pub use crate::model::projection_id::ProjectionId;
#[cfg(feature = "_async")]
pub use asynchronous::handler::{AsyncBatchHandler, AsyncHandler};
#[cfg(feature = "_async")]
pub use asynchronous::operate::{
    async_discard_parked, async_has_reached, async_parked, async_parked_after, async_promote,
    async_repartition, async_reset, async_reset_to, async_resume, async_retry_parked, async_status,
    async_wait_for,
};
#[cfg(feature = "_async")]
pub use asynchronous::projection::AsyncProjection;
#[cfg(feature = "_async")]
pub use asynchronous::runner::{AsyncRunner, AsyncRunnerHandle};
#[cfg(feature = "_async")]
pub use asynchronous::typed::AsyncTypedHandler;
pub use catch_up::CaughtUp;
pub use cause::Cause;
pub use definition::{MAX_PARTITIONS, Projection};
pub use error::ProjectionError;
pub use failure_kind::FailureKind;
pub use handler::HandlerError;
#[cfg(feature = "_async")]
pub use kind::Awaits;
pub use kind::{Blocks, Kind};
pub use operate::{has_reached, resume, wait_for};
pub use parked::{discard_parked, parked, parked_after, retry_parked};
pub use policy::OnFailure;
pub use progress::Progress;
pub use promote::promote;
pub use repartition::repartition;
pub use reset::{reset, reset_to};
pub use runner::{Runner, RunnerHandle};
pub use runs::Runs;
pub use start_from::StartFrom;
pub use status::{PartitionStatus, ProjectionState, ProjectionStatus, status};
