//! What the databases' SQL has in common.

pub(crate) mod agreement;
#[cfg(all(feature = "transfer", feature = "_blocking"))]
pub(crate) mod archive;
#[cfg(all(feature = "transfer", feature = "_blocking"))]
pub(crate) mod carry;
pub(crate) mod checkpoints;
pub(crate) mod dialect;
pub(crate) mod keys;
pub(crate) mod lease;
pub(crate) mod log_state;
#[cfg(any(feature = "_postgres", feature = "_mysql"))]
pub(crate) mod migrations;
#[cfg(any(feature = "_postgres", feature = "_mysql"))]
pub(crate) mod of_stream;
#[cfg(any(feature = "_postgres", feature = "_mysql"))]
pub(crate) mod ordering;
pub(crate) mod parked;
pub(crate) mod partitions;
pub(crate) mod places;
pub(crate) mod queries;
pub(crate) mod rewrites;
pub(crate) mod row;
pub(crate) mod rows;
pub(crate) mod seals;
mod since_snapshot;
pub(crate) mod snapshots;
pub(crate) mod statement;
mod stream_page;
pub(crate) mod tenant;
pub(crate) mod versions;
pub(crate) mod workers;
