//! Aggregates on a connection: load, decide and append in one call.

mod aggregate_ref;
mod execute;
mod execute_error;
mod load;
mod load_error;
mod snapshot;
mod snapshot_report;
mod verify;

pub use aggregate_ref::AggregateRef;
pub use execute_error::ExecuteError;
pub use load_error::LoadError;
pub use snapshot_report::SnapshotReport;
