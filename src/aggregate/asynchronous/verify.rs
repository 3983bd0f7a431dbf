use super::awaited::Awaited;
use crate::aggregate::verify::{current_version, verify};
use crate::aggregate::{LoadError, SnapshotReport};
use crate::decision::Aggregate;
use crate::storage::asynchronous::awaited::awaited;
use crate::storage::asynchronous::connection::AsyncEventConnection;
use crate::storage::snapshots::Snapshots;
use crate::store::asynchronous::AsyncEventStore;

impl AsyncEventStore {
    /// Compares snapshots of the aggregate's current version with what is folded from the events today: see
    /// [`EventStore::verify_snapshots`](crate::EventStore::verify_snapshots).
    ///
    /// # Errors
    ///
    /// Those of [`EventStore::verify_snapshots`](crate::EventStore::verify_snapshots).
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// async fn are_sound<Order: Aggregate>(
    ///     conn: &mut impl AsyncEventConnection,
    /// ) -> Result<bool, LoadError> {
    ///     let report = AsyncEventStore::new().verify_snapshots::<Order>(conn, 1000).await?;
    ///     Ok(report.is_sound())
    /// }
    /// ```
    pub async fn verify_snapshots<A: Aggregate>(
        &self,
        conn: &mut (impl AsyncEventConnection + ?Sized),
        sample: usize,
    ) -> Result<SnapshotReport, LoadError> {
        verify::<A, _>(&mut Awaited(conn), sample).await
    }

    /// Deletes the snapshots of this aggregate's type that have a lower version than its current one: see
    /// [`EventStore::delete_old_snapshots`](crate::EventStore::delete_old_snapshots).
    ///
    /// # Errors
    ///
    /// Those of [`EventStore::delete_old_snapshots`](crate::EventStore::delete_old_snapshots).
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// async fn tidy_up<Order: Aggregate>(
    ///     conn: &mut impl AsyncEventConnection,
    /// ) -> Result<usize, LoadError> {
    ///     AsyncEventStore::new().delete_old_snapshots::<Order>(conn).await
    /// }
    /// ```
    pub async fn delete_old_snapshots<A: Aggregate>(
        &self,
        conn: &mut (impl AsyncEventConnection + ?Sized),
    ) -> Result<usize, LoadError> {
        let version = current_version::<A>()?;
        Ok(awaited!(conn, clone(), database => database.delete_snapshots_below(A::TYPE, version))?)
    }
}
