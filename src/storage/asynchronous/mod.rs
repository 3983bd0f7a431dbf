//! Connections of diesel-async's.

pub(crate) mod awaited;
pub(crate) mod connection;
#[cfg(any(feature = "bb8", feature = "deadpool", feature = "mobc"))]
mod pooled;
pub(crate) mod write_transaction;
