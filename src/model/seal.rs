use chrono::{DateTime, Utc};

use crate::model::position::Position;

/// A hash over a log up to a position, at the time when it was sealed.
///
/// ```
/// # use diesel::prelude::*;
/// # use diesel_event_store::{EventStore, ExpectedVersion, NewEvent, StreamId};
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// # let order = StreamId::new("Order", 1042)?;
/// # EventStore::new().append(&mut conn, &order, ExpectedVersion::Any, &[NewEvent::new("Placed", &7)?])?;
/// let seal = diesel_event_store::operate::seal(&mut conn)?.expect("there are events");
/// assert_eq!((seal.position().get(), seal.events(), seal.chain().len()), (1, 1, 64));
/// assert!(seal.sealed_at() <= chrono::Utc::now());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    pub(crate) position: Position,
    pub(crate) events: i64,
    pub(crate) chain: String,
    pub(crate) sealed_at: DateTime<Utc>,
}

impl Seal {
    /// The position of the last event that it covers.
    pub fn position(&self) -> Position {
        self.position
    }

    /// How many events there are up to that position.
    pub fn events(&self) -> i64 {
        self.events
    }

    /// A SHA-256 over the log's id and all these events, in hexadecimal digits. It is the one of an export
    /// that ends at this position.
    pub fn chain(&self) -> &str {
        &self.chain
    }

    /// When it was made.
    pub fn sealed_at(&self) -> DateTime<Utc> {
        self.sealed_at
    }
}
