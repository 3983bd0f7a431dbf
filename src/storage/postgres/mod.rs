//! What is particular to PostgreSQL: the migrations as diesel knows them.
//!
//! PostgreSQL 13 or newer. The messages of the server must be in English (`lc_messages`), because diesel
//! passes on most kinds of errors as text only.

mod all_or_nothing;
mod append;
mod append_many;
mod checkpoints;
mod dialect;
pub(crate) mod error;
mod executor;
mod log_holders;
mod migrations;
mod news;
mod ordering;
mod outside;
mod position;
mod queries;
mod read;
#[cfg(feature = "transfer")]
mod receive;
mod repair;
mod transactions;
mod write_transaction;

pub use migrations::MIGRATIONS;
pub use news::set_append_notifications;
