//! What a database must do, one trait per noun, and how each of them does it.

pub(crate) mod agreement;
pub(crate) mod append;
pub(crate) mod append_many;
#[cfg(all(feature = "transfer", feature = "_blocking"))]
pub(crate) mod archive;
#[cfg(feature = "_async")]
pub(crate) mod asynchronous;
pub(crate) mod bell;
#[cfg(feature = "_blocking")]
pub(crate) mod blocking;
#[cfg(all(feature = "transfer", feature = "_blocking"))]
pub(crate) mod carry;
pub(crate) mod checkpoints;
pub(crate) mod connection;
pub(crate) mod error;
pub(crate) mod error_kind;
pub(crate) mod executor;
pub(crate) mod freeze;
pub(crate) mod give_up;
pub(crate) mod keys;
pub(crate) mod kind_of;
pub(crate) mod lent;
pub(crate) mod log_holders;
pub(crate) mod log_state;
pub(crate) mod migrations;
#[cfg(feature = "_mysql")]
pub mod mysql;
pub(crate) mod news;
#[cfg(not(feature = "_blocking"))]
pub(crate) mod no_connection;
#[cfg(not(feature = "_blocking"))]
mod no_database;
pub(crate) mod now;
pub(crate) mod operations;
pub(crate) mod ordering;
pub(crate) mod parked;
pub(crate) mod partitions;
pub(crate) mod places;
#[cfg(feature = "_postgres")]
pub mod postgres;
pub(crate) mod read;
#[cfg(all(feature = "transfer", feature = "_blocking"))]
pub(crate) mod receive;
pub(crate) mod refused;
pub(crate) mod repair;
pub(crate) mod rewrites;
pub(crate) mod scope;
pub(crate) mod seals;
#[cfg(any(feature = "_postgres", feature = "_mysql"))]
pub(crate) mod server;
pub(crate) mod sharing;
pub(crate) mod since_snapshot;
pub(crate) mod snapshots;
pub(crate) mod sql;
#[cfg(feature = "sqlite")]
pub mod sqlite;
pub(crate) mod stream_page;
pub(crate) mod transactions;
pub(crate) mod waiting;
#[cfg(feature = "sqlite")]
pub(crate) mod watched_log;
pub(crate) mod workers;
pub(crate) mod write_transaction;
