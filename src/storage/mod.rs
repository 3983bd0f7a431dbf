//! What a database must do, and how each of them does it.

pub(crate) mod backend;
pub(crate) mod connection;
pub(crate) mod listener;
#[cfg(feature = "mysql")]
pub mod mysql;
#[cfg(feature = "postgres")]
pub mod postgres;
pub(crate) mod sql;
#[cfg(feature = "sqlite")]
pub mod sqlite;
pub(crate) mod tables;
pub(crate) mod transaction;
