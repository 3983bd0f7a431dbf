/// How a database gives out positions. It is a property of the database, the same for everybody who appends to it.
///
/// Either way a reader who goes on after the last position it saw misses nothing.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::LogOrdering;
///
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// assert_eq!(diesel_event_store::log_ordering(&mut conn)?, LogOrdering::Gapless);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LogOrdering {
    /// Positions are given out without waiting, by the database's own sequence, and have gaps where a transaction was
    /// rolled back. A fence in the database tells readers up to where nobody is still writing. The default on
    /// PostgreSQL and MySQL (but not on Galera); SQLite has no need of it.
    Fenced,
    /// Positions are counted in a row that stays locked until the transaction ends: they have no gaps, and appends wait
    /// for each other. It needs nothing but row locks, so it is for engines that share a database's protocol but not
    /// its locks. The only one on SQLite, whose writers wait for each other anyway.
    Gapless,
}

#[cfg(any(feature = "postgres", feature = "mysql"))]
impl LogOrdering {
    /// As it stands in the database.
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
