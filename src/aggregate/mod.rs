//! Aggregates on a connection: load, decide and append in one call. The rules are written once, for
//! connections that block and connections that are awaited.

mod aggregate_ref;
mod any_connection;
mod append;
mod command;
mod execute;
mod execute_error;
mod history;
mod load;
mod load_error;
mod look;
mod short_streams;
mod snapshot;
mod snapshot_report;
mod verify;

// Last, so that in the documentation its methods follow those of the same names that block.
#[cfg(feature = "_async")]
mod asynchronous;

pub use aggregate_ref::AggregateRef;
pub use execute_error::ExecuteError;
pub use load_error::LoadError;
pub use snapshot_report::SnapshotReport;
