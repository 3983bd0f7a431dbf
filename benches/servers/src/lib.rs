//! What the benches of the servers share: the same work through diesel_event_store and through a server's
//! bare client library, and a way to compare them on a busy machine.

pub mod awaited;
pub mod database;
pub mod domain;
#[cfg(feature = "mysql")]
pub mod mysql;
pub mod ours;
#[cfg(feature = "postgres")]
pub mod postgres;
pub mod questions;
pub mod raw_event;
pub mod report;
pub mod shared_rows;
pub mod side;
pub mod statements;
pub mod store;
pub mod transfer;
pub mod writers;
