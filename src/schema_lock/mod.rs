//! A test of the application that finds out whether events that were recorded can still be read (feature
//! `schema-lock`).
//!
//! A lock file, committed with the code, keeps the JSON schema of each event that was ever released, per name
//! and version. [`check()`] makes contents from these schemas and has today's code read them, through its
//! upcasts. It fails for what cannot be read any more, before an application finds it in its log.
//!
//! ```no_run
//! # mod application {
//! use diesel_event_store::Event;
//! use diesel_event_store::schema_lock::{self, LockError, schemars::JsonSchema, shapes};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Event)]
//! #[event(lock)] // in an application: #[cfg_attr(test, event(lock))]
//! enum OrderEvent {
//!     #[event(name = "OrderPlaced")]
//!     Placed(OrderPlaced),
//!     #[event(name = "OrderPaid")]
//!     Paid { cents: u64 },
//! }
//!
//! #[derive(Serialize, Deserialize, JsonSchema)] // in an application: #[cfg_attr(test, derive(JsonSchema))]
//! # #[schemars(crate = "diesel_event_store::schema_lock::schemars")]
//! struct OrderPlaced {
//!     customer: String,
//! }
//!
//! #[test]
//! fn recorded_events_can_be_read() -> Result<(), LockError> {
//!     schema_lock::check("events.lock.json", [shapes::<OrderEvent>()])
//! }
//! # }
//! ```
//!
//! Nothing of it is in the application that runs: the feature belongs to the dev-dependencies, together with
//! `schemars`.
//!
//! ```toml
//! [dev-dependencies]
//! diesel_event_store = { version = "0.1", features = ["schema-lock"] }
//! schemars = "1"
//! ```
//!
//! # What it finds
//!
//! | change | outcome |
//! |---|---|
//! | a new event or version, a new optional field, an alias | fails until `EVENTS_LOCK=update cargo test` has recorded it |
//! | a field removed, renamed, of another or narrower type, newly required; a lost `null` or variant; other tagging | fails: give the event a new version and an upcast |
//! | an event that nothing reads any more | fails: declare it `retired`, or an `alias` |
//! | a number that is read as another, as a large `u64` that becomes an `f64`, or as `null`, as a large `f64` that becomes an `f32` in a flattened struct | fails: give the event a new version and an upcast |
//! | one name with two shapes | fails: give one another name |
//! | two states with snapshots as one aggregate type | fails: give one another type |
//! | a [snapshot](snapshot()) of another shape, also with a new optional field | fails: give the snapshots a new version |
//! | no lock file | fails: `EVENTS_LOCK=update cargo test` writes it |
//!
//! `EVENTS_LOCK=force cargo test` also takes what breaks, for events that no application has recorded yet.
//!
//! # When two branches have changed the lock
//!
//! Keep the events, versions and schemas of both sides. If both have added the same version of an event, give
//! one of them the next version, in the code and in the lock; then run `EVENTS_LOCK=update cargo test`. A
//! lock that has an event or a version twice is refused as [`NotALock`](LockError::NotALock).
//!
//! # What it cannot know
//!
//! - A text with rules of its own (a currency, a number as text): give a [`sample`](Shapes::sample). A number
//!   with rules of its own: `#[schemars(range(min = 1, max = 100))]` at its field.
//! - The number type of a map's keys: a schema says whether they may be negative, and not how large they are.
//!   `HashMap<u32, _>` and `HashMap<u8, _>` look the same.
//! - An old variant that `#[serde(other)]` takes, and a field that still has its name and means something
//!   else.
//! - Whether an upcast says the right thing. It is only run.

mod changes;
mod content;
mod contents;
mod error;
mod fields;
mod file;
mod finding;
mod mode;
mod node;
mod once;
mod review;
mod scalars;
mod shape;
mod shapes;
mod snapshot_shape;
mod snapshots;
mod sorted;
mod trial;

pub use error::LockError;
pub use finding::{Finding, FindingKind};
pub use mode::Mode;
/// The crate whose `JsonSchema` the content of events implements.
pub use schemars;
pub use shape::Shape;
pub use shapes::{Locked, Shapes, shapes};
pub use snapshots::snapshot;

use std::path::Path;

use file::LockFile;
use review::Review;

/// Compares the events with the lock file, as the environment variable `EVENTS_LOCK` says: not set, it only
/// compares; with `update` or `force` it also writes the file. See [`Mode`].
///
/// All enums whose events are in the log belong into one call: what is locked and none of them reads is gone.
///
/// # Errors
///
/// [`LockError`], whose text says per event what has changed, and what to type.
///
/// ```no_run
/// # use diesel_event_store::schema_lock::{self, Locked};
/// # fn check<OrderEvent: Locked>() -> Result<(), schema_lock::LockError> {
/// schema_lock::check("events.lock.json", [schema_lock::shapes::<OrderEvent>()])
/// # }
/// ```
pub fn check(path: impl AsRef<Path>, shapes: impl IntoIterator<Item = Shapes>) -> Result<(), LockError> {
    check_as(Mode::of_the_environment()?, path, shapes)
}

/// As [`check()`], whatever `EVENTS_LOCK` says.
///
/// # Errors
///
/// Those of [`check()`].
///
/// ```
/// use diesel_event_store::schema_lock::{self, Mode};
///
/// let folder = tempfile::tempdir().unwrap();
/// let path = folder.path().join("events.lock.json");
/// schema_lock::check_as(Mode::Update, &path, [])?;
/// schema_lock::check_as(Mode::Check, &path, [])?;
/// # Ok::<(), schema_lock::LockError>(())
/// ```
pub fn check_as(
    mode: Mode,
    path: impl AsRef<Path>,
    shapes: impl IntoIterator<Item = Shapes>,
) -> Result<(), LockError> {
    let (path, all) = (path.as_ref(), shapes.into_iter().collect::<Vec<_>>());
    let mut lock = match (LockFile::load(path)?, mode) {
        (Some(lock), _) => lock,
        (None, Mode::Check) => return Err(LockError::NoFile { path: path.into() }),
        (None, _) => LockFile::default(),
    };
    refuse_unknown_samples(&lock, &all)?;
    if mode == Mode::Force {
        forget_unreadable(&mut lock, &all);
    }
    if mode != Mode::Check {
        record_compatible(&mut lock, &all);
        snapshots::record(&mut lock, &all, mode);
        lock.save(path)?;
    }
    let mut findings = (Review { lock: &lock, all: &all }).findings();
    findings.extend(snapshots::findings(&lock, &all));
    if findings.is_empty() { Ok(()) } else { Err(LockError::Differs { path: path.into(), findings }) }
}

fn forget_unreadable(lock: &mut LockFile, all: &[Shapes]) {
    for finding in (Review { lock, all }).findings() {
        if finding.kind().matters_if_recorded() {
            lock.forget(finding.name(), finding.version());
        }
    }
}

fn record_compatible(lock: &mut LockFile, all: &[Shapes]) {
    let review = Review { lock, all };
    let findings = review.findings();
    let compatible = findings.iter().filter(|finding| finding.kind().is_compatible());
    let recorded: Vec<_> =
        compatible.filter_map(|found| review.written_as(found.name(), found.version())).cloned().collect();
    for shape in recorded {
        lock.add(shape.event_type().name(), shape.event_type().version(), shape.schema());
    }
}

fn refuse_unknown_samples(lock: &LockFile, all: &[Shapes]) -> Result<(), LockError> {
    let is_written = |name: &str, version| (Review { lock, all }).written_as(name, version).is_some();
    let mut samples = all.iter().flat_map(|shapes| &shapes.samples);
    let unknown = samples.find(|sample| {
        lock.schemas(&sample.name, sample.version).is_empty() && !is_written(&sample.name, sample.version)
    });
    match unknown {
        None => Ok(()),
        Some(sample) => Err(LockError::UnknownSample { name: sample.name.clone(), version: sample.version }),
    }
}
