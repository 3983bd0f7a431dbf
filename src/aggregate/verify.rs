use super::any_connection::AnyConnection;
use super::history::up_to;
use super::{LoadError, SnapshotReport};
use crate::decision::{Aggregate, Loaded, Snapshots};
use crate::model::invalid::{InvalidInput, check_at_least_one};
use crate::model::stream_id::StreamId;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::now::now;
use crate::store::EventStore;

impl EventStore {
    /// Compares snapshots of the aggregate's current version with what is folded from the events today: run
    /// it before a release whose [`evolve`](crate::Evolve::evolve) has changed. If it finds a difference, the
    /// snapshots need a new [version](Snapshots::version).
    ///
    /// It takes the `sample` snapshots whose last events are the oldest, of all tenants: what the oldest code
    /// has written. It reads all their events, a page at a time. Those of which events were
    /// [archived](crate::guide::archiving) cannot be compared, and are not counted.
    ///
    /// # Errors
    ///
    /// - [`LoadError::Event`]: an event cannot be read.
    /// - [`LoadError::Invalid`]: `sample` is 0, or the aggregate's version or `every` is.
    /// - [`LoadError::Database`]: the database refused or failed.
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// fn are_sound<Order: Aggregate>(conn: &mut impl EventConnection) -> Result<bool, LoadError> {
    ///     let report = EventStore::new().verify_snapshots::<Order>(conn, 1000)?;
    ///     Ok(report.is_sound())
    /// }
    /// ```
    pub fn verify_snapshots<A: Aggregate>(
        &self,
        conn: &mut (impl EventConnection + ?Sized),
        sample: usize,
    ) -> Result<SnapshotReport, LoadError> {
        now(verify::<A, _>(&mut conn.database(), sample))
    }

    /// Deletes the snapshots of this aggregate's type that have a lower version than its current one, of all
    /// tenants, and returns how many they were. Until a release that uses them is gone, they serve it. If the
    /// aggregate has no snapshots any more, all of its type are deleted.
    ///
    /// # Errors
    ///
    /// - [`LoadError::Invalid`]: the aggregate's snapshot version or `every` is 0.
    /// - [`LoadError::Database`]: the database refused or failed, and nothing was deleted.
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// fn tidy_up<Order: Aggregate>(conn: &mut impl EventConnection) -> Result<usize, LoadError> {
    ///     EventStore::new().delete_old_snapshots::<Order>(conn)
    /// }
    /// ```
    pub fn delete_old_snapshots<A: Aggregate>(
        &self,
        conn: &mut (impl EventConnection + ?Sized),
    ) -> Result<usize, LoadError> {
        Ok(conn.database().delete_snapshots_below(A::TYPE, current_version::<A>()?)?)
    }
}

fn valid_snapshots<A: Aggregate>() -> Result<Option<Snapshots<A>>, InvalidInput> {
    A::snapshots().map(|snapshots| snapshots.validate().map(|()| snapshots)).transpose()
}

/// That of its snapshots. None are current if the aggregate has given them up.
pub(super) fn current_version<A: Aggregate>() -> Result<i64, InvalidInput> {
    Ok(valid_snapshots::<A>()?.map_or(i64::MAX, |snapshots| snapshots.version.into()))
}

pub(super) async fn verify<A: Aggregate, C: AnyConnection>(
    conn: &mut C,
    sample: usize,
) -> Result<SnapshotReport, LoadError> {
    let (limit, mut report) = (check_at_least_one("sample", sample)?, SnapshotReport::default());
    let Some(snapshots) = valid_snapshots::<A>()? else { return Ok(report) };
    for stream in conn.streams_with_snapshots(A::TYPE, snapshots.version, limit).await? {
        match compare(conn, &stream, &snapshots).await {
            Ok(Comparison::Same) => {}
            Ok(Comparison::Differs) => report.differing.push(stream),
            Ok(Comparison::Unusable) => report.unusable.push(stream),
            Err(LoadError::Archived { .. }) => continue,
            Err(error) => return Err(error),
        }
        report.checked += 1;
    }
    Ok(report)
}

enum Comparison {
    Same,
    Differs,
    /// It is not used.
    Unusable,
}

async fn compare<A: Aggregate, C: AnyConnection>(
    conn: &mut C,
    stream: &StreamId,
    snapshots: &Snapshots<A>,
) -> Result<Comparison, LoadError> {
    let Some(snapshot) = conn.snapshot(stream, snapshots.version).await? else {
        return Ok(Comparison::Unusable);
    };
    if snapshots.read(snapshot.state.as_str()).is_err() {
        return Ok(Comparison::Unusable);
    }
    let folded: Loaded<A> = up_to(conn, stream, snapshot.version).await?;
    let written = snapshots.write(&folded.state)?;
    let is_same = snapshots.are_same(&written, &snapshot.state);
    Ok(if is_same { Comparison::Same } else { Comparison::Differs })
}
