//! What a database must do, and how each of them does it.

pub(crate) mod append;
pub(crate) mod backend;
pub(crate) mod checkpoints;
pub(crate) mod connection;
pub(crate) mod error;
pub(crate) mod error_kind;
pub(crate) mod listener;
pub(crate) mod migrations;
#[cfg(feature = "mysql")]
pub mod mysql;
pub(crate) mod ordering;
#[cfg(feature = "postgres")]
pub mod postgres;
pub(crate) mod read;
pub(crate) mod sql;
#[cfg(feature = "sqlite")]
pub mod sqlite;
pub(crate) mod tables;
pub(crate) mod transaction;
