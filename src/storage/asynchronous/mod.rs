//! Connections of diesel-async's.

pub(crate) mod awaited;
#[cfg(feature = "async-sqlite")]
pub(crate) mod carry;
pub(crate) mod connection;
#[cfg(feature = "async-mysql")]
pub(crate) mod in_turn;
pub(crate) mod one_by_one;
#[cfg(any(feature = "bb8", feature = "deadpool", feature = "mobc"))]
mod pooled;
#[cfg(any(feature = "async-mysql", feature = "async-postgres"))]
pub(crate) mod server;
#[cfg(feature = "async-sqlite")]
pub(crate) mod sqlite;
mod transactions;
pub(crate) mod write_transaction;
