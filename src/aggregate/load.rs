use super::{AggregateRef, LoadError};
use crate::decision::{Aggregate, Loaded};
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::now::now;

impl<A: Aggregate> AggregateRef<A> {
    /// The state of the aggregate, folded from its events, or from a [snapshot](crate::Snapshots) and the
    /// events after it. Without events it is the
    /// [initial](Aggregate::initial) one, at version 0.
    ///
    /// If events were erased, it is folded from those that are left, and without any the initial state. The
    /// version is that at which the stream has ended. A snapshot still has what they said: delete the
    /// stream's snapshots in the transaction that erases.
    ///
    /// Inside a transaction it sees what the transaction has appended, and locks nothing.
    ///
    /// # Errors
    ///
    /// - [`LoadError::Event`]: an event cannot be read.
    /// - [`LoadError::Archived`]: its first events were [archived](crate::guide::archiving).
    /// - [`LoadError::Invalid`]: the id is empty, too long or has a control character; or something else that
    ///   was given.
    /// - [`LoadError::Database`]: the database refused or failed.
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// fn version_of<A: Aggregate>(conn: &mut impl EventConnection, id: &str) -> Result<i64, LoadError> {
    ///     Ok(EventStore::new().aggregate::<A>(id).load(conn)?.version)
    /// }
    /// ```
    pub fn load<C: EventConnection + ?Sized>(self, conn: &mut C) -> Result<Loaded<A>, LoadError> {
        now(self.read(&mut conn.database()))
    }
}
