use std::collections::BTreeSet;
use std::time::Duration;

use crate::model::invalid::{InvalidInput, Problem, check_name};

/// Where a log moves, and what becomes of its projections there.
///
/// ```
/// use std::time::Duration;
///
/// use diesel_event_store::transfer::CopyOptions;
///
/// let options = CopyOptions::to("postgres://db/shop")
///     .keep("orders") // its tables move, too
///     .rebuild("mailing list") // it begins with the first event
///     .patience(Duration::from_secs(60));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyOptions {
    to: String,
    kept: BTreeSet<String>,
    rebuilt: BTreeSet<String>,
    pub(super) patience: Duration,
}

impl CopyOptions {
    /// Where the log has moved: everyone who appends to the source is told so from then on. Leave out the
    /// password, because the text is in every such error. At most [`MAX_NAME_LENGTH`](crate::MAX_NAME_LENGTH)
    /// characters, with `it moves to` before.
    pub fn to(place: impl ToString) -> Self {
        Self {
            to: place.to_string(),
            kept: BTreeSet::new(),
            rebuilt: BTreeSet::new(),
            patience: Duration::from_secs(30),
        }
    }

    /// The read model of the projection with this name moves along, in all its versions, so its checkpoint
    /// and its parked events do: it goes on where it is.
    pub fn keep(mut self, projection: impl Into<String>) -> Self {
        self.kept.insert(projection.into());
        self
    }

    /// The checkpoint of the projection with this name does not travel: its read model is built again, from
    /// the first event. A handler that has effects outside, such as mails, has them again.
    pub fn rebuild(mut self, projection: impl Into<String>) -> Self {
        self.rebuilt.insert(projection.into());
        self
    }

    /// How long to wait for transactions that have appended to the source and do not end. Default: 30
    /// seconds. See [`freeze`](crate::operate::freeze()).
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    pub(super) fn reason(&self) -> String {
        format!("it moves to {}", self.to)
    }

    pub(super) fn keeps(&self, projection: &str) -> bool {
        self.kept.contains(projection)
    }

    pub(super) fn rebuilds(&self, projection: &str) -> bool {
        self.rebuilt.contains(projection)
    }

    /// Every name that was given.
    pub(super) fn named(&self) -> impl Iterator<Item = &String> {
        self.kept.union(&self.rebuilt)
    }

    pub(super) fn check(&self) -> Result<(), InvalidInput> {
        if self.to.is_empty() {
            return Err(InvalidInput::new("to", Problem::Empty));
        }
        check_name("to", &self.reason())
    }

    /// A projection that is both kept and rebuilt.
    pub(super) fn contradicted(&self) -> Option<&String> {
        self.kept.intersection(&self.rebuilt).next()
    }
}
