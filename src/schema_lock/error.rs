use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{fmt, io};

use super::finding::Finding;

/// Why the check of a lock fails: what has changed, and what to do about it.
///
/// Its `Debug` is the same text as its `Display`, so that a test that returns it prints it.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// Events differ from the lock.
    #[error("{}", told(path, findings))]
    #[non_exhaustive]
    Differs {
        /// The lock file.
        path: PathBuf,
        /// What differs, an event each.
        findings: Vec<Finding>,
    },
    /// There is no lock file.
    #[error(
        "there is no lock file {}. Write it, and commit it together with the code:\n\n    EVENTS_LOCK=update cargo test",
        path.display()
    )]
    #[non_exhaustive]
    NoFile {
        /// Where it was looked for: a relative path begins at the package's folder.
        path: PathBuf,
    },
    /// The lock file cannot be read or written.
    #[error("the lock file {} cannot be read or written: {source}", path.display())]
    #[non_exhaustive]
    File {
        /// The lock file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is none that a check has written, or has an event or a version twice, as after a merge that
    /// kept both.
    #[error(
        "{} is no lock file: {source}. Take it back from version control, after a merge from one of the two branches, \
         and let `EVENTS_LOCK=update` change it",
        path.display()
    )]
    #[non_exhaustive]
    NotALock {
        /// The file.
        path: PathBuf,
        /// What `serde_json` says.
        source: serde_json::Error,
    },
    /// A sample is for an event that is neither in the lock nor in the code.
    #[error("there is a sample for {name} version {version}, which is neither in the lock nor in the code")]
    #[non_exhaustive]
    UnknownSample {
        /// The stored name of the event.
        name: String,
        /// The version of its content.
        version: i32,
    },
    /// The environment variable `EVENTS_LOCK` has a value that says nothing.
    #[error("EVENTS_LOCK is {value:?}; it is `update`, `force`, or not set")]
    #[non_exhaustive]
    Environment {
        /// What it is.
        value: OsString,
    },
}

impl LockError {
    /// What differs from the lock, an event each.
    ///
    /// ```
    /// use diesel_event_store::schema_lock::{self, LockError};
    ///
    /// let no_file = schema_lock::check("no_such_folder/events.lock.json", []).unwrap_err();
    /// assert!(matches!(no_file, LockError::NoFile { .. }));
    /// assert!(no_file.findings().is_empty());
    /// ```
    pub fn findings(&self) -> &[Finding] {
        match self {
            Self::Differs { findings, .. } => findings,
            _ => &[],
        }
    }
}

fn told(path: &Path, findings: &[Finding]) -> String {
    let findings: String = findings.iter().map(|finding| format!("\n\n{finding}")).collect();
    format!("the events differ from {}.{findings}", path.display())
}

impl fmt::Debug for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
