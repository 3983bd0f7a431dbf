//! PostgreSQL, through this crate and through bare libpq.

mod client;
mod database;
mod parameters;
mod raw_store;
mod statements;

pub use client::Client;
pub use database::Database;
pub use raw_store::RawStore;
pub use statements::Statements;
