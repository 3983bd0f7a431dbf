//! What a database must do, one trait per noun, and how each of them does it.

pub(crate) mod append;
pub(crate) mod append_many;
pub(crate) mod blocking;
pub(crate) mod checkpoints;
pub(crate) mod connection;
pub(crate) mod error;
pub(crate) mod error_kind;
pub(crate) mod executor;
pub(crate) mod kind_of;
pub(crate) mod lent;
pub(crate) mod log_holders;
pub(crate) mod migrations;
#[cfg(feature = "mysql")]
pub mod mysql;
pub(crate) mod news;
pub(crate) mod operations;
pub(crate) mod ordering;
pub(crate) mod parked;
pub(crate) mod partitions;
pub(crate) mod places;
#[cfg(feature = "postgres")]
pub mod postgres;
pub(crate) mod read;
pub(crate) mod refused;
pub(crate) mod repair;
pub(crate) mod scope;
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub(crate) mod server;
pub(crate) mod sql;
#[cfg(feature = "sqlite")]
pub mod sqlite;
pub(crate) mod transactions;
#[cfg(feature = "sqlite")]
pub(crate) mod watched_log;
pub(crate) mod workers;
pub(crate) mod write_transaction;
