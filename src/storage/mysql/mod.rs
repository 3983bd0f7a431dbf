//! What is particular to MySQL and MariaDB: the migrations as diesel knows them.
//!
//! MariaDB 10.6 or newer, or MySQL 8.0.17 or newer. The messages of the server must be in English (`lc_messages`), because
//! diesel passes on most kinds of errors as text only.

mod append;
mod backend;
mod checkpoint;
pub(crate) mod error;
mod fence;
mod galera;
mod insert;
mod interrupted;
mod migrations;
mod ordering;
mod position;
mod projection;
mod read;
mod row;
mod time;
mod transaction;

pub use migrations::MIGRATIONS;
