use std::path::PathBuf;

use diesel_event_store::schema_lock::{FindingKind, LockError, Locked, Mode, Shapes, check_as, shapes};
use tempfile::TempDir;

pub type Result<T = (), E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// A lock file in a place of its own.
pub struct Lock {
    folder: TempDir,
}

impl Lock {
    /// One that does not exist yet.
    pub fn new() -> Result<Self> {
        Ok(Self { folder: tempfile::tempdir()? })
    }

    /// One that has been written for these events.
    pub fn of<E: Locked>() -> Result<Self> {
        let lock = Self::new()?;
        lock.run(Mode::Update, [shapes::<E>()])?;
        Ok(lock)
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("events.lock.json")
    }

    pub fn text(&self) -> Result<String> {
        Ok(std::fs::read_to_string(self.path())?)
    }

    pub fn run<const N: usize>(&self, mode: Mode, shapes: [Shapes; N]) -> Result<(), LockError> {
        check_as(mode, self.path(), shapes)
    }

    /// What is found about these events.
    pub fn finds<E: Locked>(&self) -> Vec<FindingKind> {
        kinds(self.run(Mode::Check, [shapes::<E>()]))
    }

    /// What is said about these events.
    pub fn says<E: Locked>(&self) -> String {
        self.run(Mode::Check, [shapes::<E>()]).expect_err("a finding").to_string()
    }
}

pub fn kinds(outcome: Result<(), LockError>) -> Vec<FindingKind> {
    let Err(error) = outcome else { return Vec::new() };
    assert!(!error.findings().is_empty(), "{error}");
    error.findings().iter().map(|finding| finding.kind()).collect()
}

/// Events of one type, `Noted`, with this content: a release of an application.
macro_rules! release {
    ($name:ident: $(#[$attribute:meta])* $kind:ident { $($body:tt)* } $($more:item)*) => {
        mod $name {
            #![allow(unused_imports)]
            use std::collections::BTreeMap;

            use diesel_event_store::Event;
            use schemars::JsonSchema;
            use serde::{Deserialize, Serialize};

            #[derive(Serialize, Deserialize, JsonSchema)]
            $(#[$attribute])*
            pub $kind Content { $($body)* }

            #[derive(Event)]
            #[event(lock)]
            pub enum Events {
                #[event(name = "Noted")]
                Noted(Content),
            }

            $($more)*
        }
    };
}
pub(super) use release;

/// What the lock of one release finds in another.
macro_rules! from_to {
    ($before:ident, $after:ident) => {
        crate::schema_lock::lock::Lock::of::<$before::Events>()?.finds::<$after::Events>()
    };
}
pub(super) use from_to;
