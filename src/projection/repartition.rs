use super::activity::refuse_retired;
use super::definition::{Projection, check_partitions};
use super::error::ProjectionError;
use super::kind::Kind;
use super::link::Database;
use super::partitions::{self, find_or_create};
use crate::model::partition::{Barrier, Partition, PartitionKey};
use crate::model::position::Position;
use crate::model::projection_id::ProjectionId;
use crate::model::timestamp;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::give_up::GiveUp;
use crate::storage::now::now;
use crate::storage::partitions::{NewPartition, Partitions};
use crate::storage::transactions::{Open, Transactions};

/// Changes the number of partitions, from 1 to [`MAX_PARTITIONS`](super::MAX_PARTITIONS), without skipping or
/// repeating an event.
///
/// The workers bring all partitions to the position of the furthest one; the new partitions begin there. It
/// is done when [`status`](super::status()) shows the new number: with idle workers, after about a third of
/// their lease. A [`reset`](super::reset()) that comes before that takes the change back.
///
/// Alone, it is a transaction of its own; inside a transaction of the application, it is part of that.
///
/// # Errors
///
/// - [`ProjectionError::Invalid`]: the number is out of range.
/// - [`ProjectionError::Unknown`]: the projection was never run.
/// - [`ProjectionError::Retired`]: a newer version was promoted.
/// - [`ProjectionError::Database`].
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::projection::{self, Projection};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mut conn = SqliteConnection::establish(":memory:")?;
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// let mails = Projection::new("mails", 1, |_conn: &mut SqliteConnection, _event| Ok(()));
/// mails.catch_up(&mut conn)?;
///
/// projection::repartition(&mut conn, ("mails", 1), 4)?;
/// mails.catch_up(&mut conn)?;
/// assert_eq!(projection::status(&mut conn)?[0].partitions().len(), 4);
/// # Ok(())
/// # }
/// ```
pub fn repartition<C: EventConnection + ?Sized>(
    conn: &mut C,
    projection: impl Into<ProjectionId>,
    number: i32,
) -> Result<(), ProjectionError> {
    now(change(&mut conn.database(), &projection.into(), number))
}

/// All or nothing.
pub(super) async fn change<D: Transactions + Partitions + GiveUp>(
    database: &mut D,
    projection: &ProjectionId,
    number: i32,
) -> Result<(), ProjectionError> {
    check_partitions(number)?;
    partitions::known(database, projection).await?;
    let mut open = Open::begin(database).await?;
    let outcome = raise_barrier(&mut *open.database, projection, number).await;
    open.end(outcome).await
}

async fn raise_barrier<D: Partitions>(
    database: &mut D,
    projection: &ProjectionId,
    number: i32,
) -> Result<(), ProjectionError> {
    // Locks the rows, so that no worker gets further than what is read next.
    database.raise_barrier(projection, Position::END, number).await?;
    let rows = partitions::known(database, projection).await?;
    rows.iter().try_for_each(refuse_retired)?;
    let furthest = rows.iter().map(|row| row.position).max().unwrap_or(Position::START);
    database.raise_barrier(projection, furthest, number).await?;
    Ok(())
}

/// The partitions of a projection as they are to be applied.
pub(super) async fn current<D: Database, C, K: Kind>(
    database: &mut D,
    projection: &Projection<C, K>,
) -> Result<Vec<Partition>, ProjectionError> {
    let mut partitions = find_or_create(database, projection).await?;
    if is_saved_by_hand(&partitions) && projection.partitions > 1 {
        change(database, &projection.id, projection.partitions).await?;
        partitions = partitions::known(database, &projection.id).await?;
    }
    complete(database, &projection.id, partitions).await
}

/// Whether there is only a checkpoint which no worker has ever claimed. The number of partitions counts when
/// the projection is run for the first time.
fn is_saved_by_hand(partitions: &[Partition]) -> bool {
    matches!(partitions, [only @ Partition { count: 1, barrier: None, .. }] if only.is_manual())
}

/// New ones in their place, if all have arrived at a barrier.
async fn complete<D: Database>(
    database: &mut D,
    projection: &ProjectionId,
    partitions: Vec<Partition>,
) -> Result<Vec<Partition>, ProjectionError> {
    let have_arrived = |row: &Partition| row.barrier.is_some_and(|barrier| row.position >= barrier.position);
    if partitions.is_empty() || !partitions.iter().all(have_arrived) {
        return Ok(partitions);
    }
    if let Some(furthest) = beyond_barrier(&partitions) {
        database.lift_barrier(projection, furthest).await?;
        return Ok(database.partitions(projection).await?);
    }
    let mut open = Open::begin(database).await?;
    let outcome = replace(&mut *open.database, projection, &partitions).await;
    open.end(outcome).await?;
    Ok(database.partitions(projection).await?)
}

/// The furthest of them, if that is beyond the barrier: an application can put a checkpoint anywhere. There is
/// no way back, so the others have to come there, too.
fn beyond_barrier(partitions: &[Partition]) -> Option<Position> {
    let furthest = partitions.iter().map(|row| row.position).max()?;
    let is_beyond = |barrier: Barrier| barrier.position < furthest;
    partitions.iter().any(|row| row.barrier.is_some_and(is_beyond)).then_some(furthest)
}

/// Unless another worker was faster: then not all rows are as they were seen.
async fn replace<D: Partitions>(
    database: &mut D,
    projection: &ProjectionId,
    seen: &[Partition],
) -> Result<(), ProjectionError> {
    let Some(barrier) = seen[0].barrier else { return Ok(()) };
    if database.lock_at_barrier(projection, barrier.position).await? != seen.len() {
        return Ok(());
    }
    // Since they were seen, another number may have been asked for at the same position, and a worker may have
    // claimed one of them: the new ones must have a token above that one's, too.
    let locked = partitions::known(database, projection).await?;
    let Some(barrier) = locked[0].barrier else { return Ok(()) };
    let token = locked.iter().map(|row| row.token).max().unwrap_or(0) + 1;
    let witness = locked.iter().filter_map(|row| row.witness).max_by_key(|witness| witness.position);
    database.delete_partitions(projection).await?;
    for number in 0..barrier.next_count {
        let new = NewPartition {
            key: PartitionKey { projection: projection.clone(), number },
            count: barrier.next_count,
            position: barrier.position,
            witness,
            token,
            now: timestamp::now(),
        };
        database.create_partition(&new).await?;
    }
    Ok(())
}
