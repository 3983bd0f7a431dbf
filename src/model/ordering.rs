/// How a database assigns positions. It is a property of the database, the same for every connection that
/// appends.
///
/// With either, a reader that continues after the last position it saw misses nothing.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::{EventStore, LogOrdering};
///
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// assert_eq!(EventStore::new().log_ordering(&mut conn)?, LogOrdering::Gapless);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LogOrdering {
    /// The database's own sequence assigns positions without waiting, with gaps where a transaction was
    /// rolled back. A fence in the database tells readers up to which position no transaction is still
    /// writing. The default on PostgreSQL and MySQL, except on Galera; not available on SQLite, which does
    /// not need it.
    Fenced,
    /// Positions are counted in a row that stays locked until the transaction ends: they have no gaps, and
    /// appends wait for each other. It needs only row locks, so it also works on engines that share a
    /// database's protocol but not its other locks. The default on Galera, and the only one on SQLite, whose
    /// writers wait for each other anyway.
    Gapless,
}

#[cfg(any(feature = "_postgres", feature = "_mysql"))]
impl LogOrdering {
    /// The value in the database.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Fenced => "fenced",
            Self::Gapless => "gapless",
        }
    }

    pub(crate) fn stored(name: &str) -> Option<Self> {
        [Self::Fenced, Self::Gapless].into_iter().find(|ordering| ordering.name() == name)
    }
}
