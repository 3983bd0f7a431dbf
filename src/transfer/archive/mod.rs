//! Streams that have ended leave the log: first into a file, then out of the database. What is in a file can
//! be put back.
//!
//! **Nothing is lost.** Only what is in a whole file is removed, and only if the event in the log is, to the
//! character, the one in the file. An event is removed in the transaction that removes its whole stream, and
//! the database refuses that if anything of the stream is not in the file. Killed anywhere, the same file is
//! taken again: what is gone already has left its hash, which is compared as well.
//!
//! **Nothing is missed.** What is removed lies below every checkpoint. Who reads the log from below sees,
//! after each page, whether events are gone, and is refused.

mod archivable;
mod archived;
mod before;
mod bound;
mod error;
mod export;
mod read;
mod remove;
mod restore;
mod walk;
mod whole;

pub use archivable::{Archivable, archivable};
pub use archived::Archived;
pub use before::Before;
pub use error::ArchiveError;
pub use export::export_archive;
pub use remove::remove_archived;
pub use restore::{Restored, restore};
