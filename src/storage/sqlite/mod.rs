//! How SQLite does it. It has one kind of connection, which blocks, so what is its own is not `async`.

pub(crate) mod append;
mod append_many;
mod checkpoints;
mod dialect;
pub(crate) mod error;
mod executor;
mod freeze;
mod insert;
mod log_holders;
mod migrations;
mod news;
mod options;
mod options_error;
mod ordering;
mod queries;
mod read;
#[cfg(all(feature = "transfer", feature = "_blocking"))]
mod receive;
mod repair;
mod text;
mod transactions;
mod write_transaction;

pub use migrations::MIGRATIONS;
pub use options::{JournalMode, Options, Synchronous};
pub use options_error::OptionsError;
