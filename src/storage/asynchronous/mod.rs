//! Connections of diesel-async's.

pub(crate) mod awaited;
pub(crate) mod connection;
#[cfg(feature = "async-mysql")]
pub(crate) mod in_turn;
#[cfg(any(feature = "bb8", feature = "deadpool", feature = "mobc"))]
mod pooled;
#[cfg(any(feature = "async-mysql", feature = "async-postgres"))]
pub(crate) mod server;
pub(crate) mod write_transaction;
