use crate::model::position::Position;

/// What [`EventStore::repair`](crate::EventStore::repair) has changed.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::{EventStore, Repaired};
///
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// assert_eq!(EventStore::new().repair(&mut conn)?, Repaired::default()); // nothing
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Repaired {
    pub(crate) counted: Option<Position>,
    pub(crate) published: Option<Position>,
    pub(crate) heads: u64,
}

impl Repaired {
    /// Whether everything agreed with the events, so that nothing was changed.
    ///
    /// ```
    /// assert!(diesel_event_store::Repaired::default().is_nothing());
    /// ```
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// The position after which the next append goes, if the counter of positions was changed: the sequence,
    /// AUTO_INCREMENT, `event_log`, or `event_fence`.
    pub fn counted(&self) -> Option<Position> {
        self.counted
    }

    /// The position that is published now, if the published one was beyond the end of the log.
    pub fn published(&self) -> Option<Position> {
        self.published
    }

    /// How many rows of `aggregate_heads` were created or set to the version of the stream's last event.
    pub fn heads(&self) -> u64 {
        self.heads
    }
}
