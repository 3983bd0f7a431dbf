//! What is particular to MySQL and MariaDB: the migrations as diesel knows them.
//!
//! MariaDB 10.6 or newer, or MySQL 8.0.17 or newer. The messages of the server must be in English
//! (`lc_messages`), because diesel passes on most kinds of errors as text only.

mod all_or_nothing;
mod append;
mod append_many;
#[cfg(feature = "async-mysql")]
mod asynchronous;
mod checkpoints;
mod dialect;
pub(crate) mod error;
#[cfg(feature = "mysql")]
mod executor;
mod fence;
mod freeze;
mod galera;
mod guards;
mod insert;
#[cfg(feature = "mysql")]
mod interrupted;
mod keys;
mod log_holders;
mod lost_row;
mod migrations;
#[cfg(feature = "mysql")]
mod news;
mod ordering;
mod outside;
mod page;
mod position;
mod prepared;
mod queries;
mod read;
#[cfg(all(feature = "transfer", feature = "mysql"))]
mod receive;
mod repair;
mod tenant;
mod time;
mod transactions;
mod write_transaction;

pub use migrations::MIGRATIONS;
