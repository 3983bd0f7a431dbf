//! What is particular to PostgreSQL: the migrations as diesel knows them.
//!
//! PostgreSQL 13 or newer. The messages of the server must be in English (`lc_messages`), because diesel passes on most
//! kinds of errors as text only.

mod append;
mod backend;
mod checkpoint;
pub(crate) mod error;
mod migrations;
mod notify;
mod ordering;
mod position;
mod projection;
mod read;
mod row;
mod transaction;

pub use migrations::MIGRATIONS;
pub use notify::set_append_notifications;
