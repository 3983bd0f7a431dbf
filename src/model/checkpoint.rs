use chrono::{DateTime, Utc};

use crate::model::invalid::{InvalidInput, check_name};
use crate::model::position::Position;
use crate::model::timestamp;

/// How far a projection has applied the log.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::{EventStore, Position};
///
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// let store = EventStore::new();
/// assert_eq!(store.checkpoint(&mut conn, "mailing list")?, None);
///
/// store.save_checkpoint(&mut conn, "mailing list", Position::new(20)?)?;
/// let checkpoint = store.checkpoint(&mut conn, "mailing list")?.expect("it was just saved");
/// assert_eq!(checkpoint.projection_name(), "mailing list");
/// assert_eq!(checkpoint.position().get(), 20);
/// assert!(checkpoint.updated_at() <= chrono::Utc::now());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    pub(crate) projection_name: String,
    pub(crate) projection_version: i32,
    pub(crate) partition: i32,
    pub(crate) position: Position,
    pub(crate) updated_at: DateTime<Utc>,
}

impl Checkpoint {
    /// For the checkpoints that an application saves itself.
    pub(crate) const VERSION: i32 = 1;
    pub(crate) const PARTITION: i32 = 0;

    /// The name of its projection.
    pub fn projection_name(&self) -> &str {
        &self.projection_name
    }

    /// The version of its projection: 1, or that of a [`Projection`](crate::projection::Projection).
    pub fn projection_version(&self) -> i32 {
        self.projection_version
    }

    /// The number of the partition, from 0. Only a [`Projection`](crate::projection::Projection) can have
    /// several.
    pub fn partition(&self) -> i32 {
        self.partition
    }

    /// The projection has applied the log up to this position.
    pub fn position(&self) -> Position {
        self.position
    }

    /// When it was saved, to the microsecond, by the clock of the machine that saved it.
    pub fn updated_at(&self) -> DateTime<Utc> {
        self.updated_at
    }

    pub(crate) fn now(projection_name: &str, position: Position) -> Result<Self, InvalidInput> {
        check_name("projection_name", projection_name)?;
        Ok(Self {
            projection_name: projection_name.to_owned(),
            projection_version: Self::VERSION,
            partition: Self::PARTITION,
            position,
            updated_at: timestamp::now(),
        })
    }
}
