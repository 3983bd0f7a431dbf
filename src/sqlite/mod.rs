//! What is particular to SQLite: the options of a connection, the migrations as diesel knows them, and a [`Writer`] that
//! commits for many callers at once.
//!
//! ```
//! use diesel::prelude::*;
//! use diesel_event_store::sqlite::Options;
//!
//! # fn main() -> Result<(), diesel_event_store::Error> {
//! # let folder = tempfile::tempdir().unwrap();
//! # let path = folder.path().join("shop.db").display().to_string();
//! let mut conn = SqliteConnection::establish(&path).unwrap();
//! Options::default().apply(&mut conn)?;
//! diesel_event_store::run_pending_migrations(&mut conn)?;
//! # Ok(())
//! # }
//! ```
//!
//! The SQLite library must be 3.35 or newer; the feature `bundled` brings a recent one.

mod append;
mod backend;
mod checkpoint;
pub(crate) mod error;
mod insert;
mod migrations;
mod options;
mod projection;
mod read;
mod row;
mod text;
mod transaction;
pub(crate) mod watch;
mod writer;

pub use migrations::MIGRATIONS;
pub use options::{JournalMode, Options, Synchronous};
pub use writer::{QueueFull, Request, Ticket, Writer, WriterError, WriterOptions};
