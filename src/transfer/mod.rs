//! A whole log to a file, and from it into any database: [`export`] and [`import`]; or from one database to
//! another while it is in use: [`copy()`], [`copy_with()`]; and old streams out of the log, into a file:
//! [`export_archive`] and [`remove_archived`]. With the feature `transfer`. The page
//! [moving to a server](crate::guide::moving) says what to do around them, and what is in the file.
//!
//! ```
//! use std::fs::File;
//! use std::io::BufReader;
//!
//! use diesel::prelude::*;
//! use diesel_event_store::transfer::{export, import};
//! use diesel_event_store::{EventStore, ExpectedVersion, NewEvent, StreamId};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let mut shop = SqliteConnection::establish(":memory:")?;
//! # diesel_event_store::run_pending_migrations(&mut shop)?;
//! # let store = EventStore::new();
//! # let order = StreamId::new("Order", 1042)?;
//! # store.append(&mut shop, &order, ExpectedVersion::NoStream, &[NewEvent::new("OrderPlaced", &7)?])?;
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("shop.jsonl");
//! export(&mut shop, File::create(&path)?)?;
//!
//! let mut other = SqliteConnection::establish(":memory:")?; // or PostgreSQL, MySQL, MariaDB
//! diesel_event_store::run_pending_migrations(&mut other)?;
//! let imported = import(&mut other, || Ok(BufReader::new(File::open(&path)?)))?;
//! assert_eq!(imported.events(), 1);
//! assert_eq!(store.version(&mut other, &order)?, 1);
//! # Ok(())
//! # }
//! ```

mod archive;
mod batch;
mod chain;
mod check;
mod copy;
mod discard;
mod encode;
mod error;
mod event_line;
mod event_lines;
mod export;
mod exported;
mod file;
mod gone_line;
mod header;
mod import;
mod import_new;
mod imported;
mod imported_positions;
mod item;
mod keys;
mod line_reader;
mod merge;
mod new_line;
mod note;
mod out_file;
mod parsed_line;
mod projections;
mod receive;
mod receiver;
mod rest;
mod rest_line;
mod trailer;
mod values;
mod versions;

pub use archive::{
    Archivable, ArchiveError, Archived, Before, Restored, archivable, export_archive, remove_archived,
    restore,
};
pub use copy::{
    CarriedProjection, Copied, CopyControl, CopyError, CopyOptions, CopyPlan, Difference, Fate, Next,
    abandon, copy, copy_with, look, reclaim,
};
pub use discard::discard;
pub use error::{ExportError, FileProblem, ImportError};
pub use export::export;
pub use exported::Exported;
pub use import::import;
pub use import_new::import_new;
pub use imported::Imported;
pub use imported_positions::imported_positions;
