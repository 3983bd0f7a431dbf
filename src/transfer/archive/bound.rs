//! Up to where events may leave the log.

use super::error::ArchiveError;
use crate::model::partition::State;
use crate::model::position::Position;
use crate::model::projection_id::ProjectionId;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::error::DatabaseError;
use crate::storage::log_state::LogRow;
use crate::storage::read::ReadError;
use crate::transfer::projections::Projections;

/// A projection that still needs what lies from its position on.
struct Holder {
    projection: ProjectionId,
    position: Position,
    is_parked: bool,
}

/// Refuses what a projection has not applied, or has parked. The last event of the log stays in any case: it
/// says where the log ends.
pub(super) fn bounded<C>(conn: &mut C, before: Position) -> Result<Position, ArchiveError>
where
    C: EventConnection + ?Sized,
{
    let last = conn.database().last_position().map_err(ReadError::from)?;
    let before = before.min(last);
    match slowest(conn)?.filter(|holder| holder.position < before) {
        Some(Holder { projection, position, is_parked }) => {
            Err(ArchiveError::HeldBack { before, projection, position, is_parked })
        }
        None => Ok(before),
    }
}

fn slowest<C: EventConnection + ?Sized>(conn: &mut C) -> Result<Option<Holder>, DatabaseError> {
    let Projections { mut partitions, mut parked } = Projections::read(conn)?;
    let is_retired = |id: &ProjectionId| {
        partitions.iter().any(|row| row.key.projection == *id && row.state == State::Retired)
    };
    parked.retain(|(projection, _)| !is_retired(projection));
    partitions.retain(|partition| partition.state != State::Retired);
    let applied = partitions.into_iter().map(|partition| Holder {
        projection: partition.key.projection,
        position: partition.position,
        is_parked: false,
    });
    let parked = parked.into_iter().map(|(projection, event)| Holder {
        projection,
        position: event.position,
        is_parked: true,
    });
    Ok(applied.chain(parked).min_by_key(|holder| holder.position))
}

/// What is done with an archive takes several transactions, and a log that takes events.
pub(super) fn refuse_closed<C: EventConnection + ?Sized>(conn: &mut C) -> Result<LogRow, ArchiveError> {
    if conn.database().depth()? > 0 {
        return Err(ArchiveError::InTransaction);
    }
    let row = conn.database().log_row()?;
    match row.clone().closed() {
        Some(closed) => Err(closed.into()),
        None => Ok(row),
    }
}
