//! What is particular to PostgreSQL: the migrations as diesel knows them.
//!
//! PostgreSQL 13 or newer. The messages of the server must be in English (`lc_messages`), because diesel
//! passes on most kinds of errors as text only.

mod all_or_nothing;
mod append;
mod append_keyed;
mod append_many;
#[cfg(feature = "async-postgres")]
mod asynchronous;
mod begun;
mod checkpoints;
mod commit;
mod dialect;
pub(crate) mod error;
#[cfg(feature = "postgres")]
mod executor;
mod freeze;
mod log_holders;
mod migrations;
#[cfg(feature = "postgres")]
mod news;
mod notifications;
mod ordering;
mod outside;
mod position;
mod queries;
mod read;
#[cfg(all(feature = "transfer", feature = "postgres"))]
mod receive;
mod repair;
mod statement_size;
mod transactions;
mod write_transaction;

pub use migrations::MIGRATIONS;
#[cfg(feature = "async-postgres")]
pub use notifications::async_set_append_notifications;
#[cfg(feature = "postgres")]
pub use notifications::set_append_notifications;
