//! PostgreSQL, through this crate, through bare libpq, and through diesel-async by hand.

mod by_hand;
mod client;
mod database;
mod parameters;
mod raw_store;
mod statements;

pub use by_hand::ByHand;
pub use client::Client;
pub use database::Database;
pub use raw_store::RawStore;
pub use statements::Statements;
