//! What is particular to MySQL and MariaDB: the migrations as diesel knows them.
//!
//! MariaDB 10.6 or newer, or MySQL 8.0.17 or newer. The messages of the server must be in English
//! (`lc_messages`), because diesel passes on most kinds of errors as text only.

mod all_or_nothing;
mod append;
mod append_many;
mod checkpoints;
mod dialect;
pub(crate) mod error;
mod executor;
mod fence;
mod galera;
mod guards;
mod insert;
mod interrupted;
mod keys;
mod log_holders;
mod migrations;
mod news;
mod ordering;
mod outside;
mod position;
mod queries;
mod read;
#[cfg(all(feature = "transfer", feature = "_blocking"))]
mod receive;
mod repair;
mod tenant;
mod time;
mod transactions;
mod write_transaction;

pub use migrations::MIGRATIONS;
