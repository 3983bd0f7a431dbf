//! How SQLite does it.

pub(crate) mod append;
mod backend;
mod checkpoint;
pub(crate) mod error;
pub(crate) mod insert;
pub(crate) mod migrations;
mod options;
mod projection;
pub(crate) mod read;
mod row;
pub(crate) mod text;
pub(crate) mod transaction;
pub(crate) mod watch;

pub use migrations::MIGRATIONS;
pub use options::{JournalMode, Options, Synchronous};
