//! MySQL and MariaDB, through this crate and through the bare client library.

mod client;
mod database;
mod raw_store;
mod statements;

pub use client::Client;
pub use database::Database;
pub use raw_store::{Ordering, RawStore};
pub use statements::Statements;
