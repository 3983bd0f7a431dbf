//! Whether a runner can have as many connections at the same time as it needs.

use super::context::Context;
use super::crew::Crew;
use crate::model::partition::{Partition, State};
use crate::projection::error::ProjectionError;
use crate::projection::link::{Link, ProjectionOf};
use crate::storage::workers::Workers;

/// More are not tried out: many workers that start at once must not take all connections that a server has.
const MOST_TRIED: usize = 16;

/// One for the manager, and one per partition of this worker's share. `conn` is the first of them.
pub(super) async fn check<W: Crew>(
    context: &Context<W>,
    conn: &mut W::Link,
    partitions: &[(&ProjectionOf<W::Link>, Vec<Partition>)],
) -> Result<(), ProjectionError> {
    let mut needed = 1;
    for (projection, partitions) in partitions {
        let others = conn.database().workers(projection.id()).await?.len();
        let active = partitions.iter().filter(|row| row.state != State::Retired).count();
        needed += active.div_ceil(others + 1);
    }
    try_out(context, needed).await
}

/// All of them at once.
async fn try_out<W: Crew>(context: &Context<W>, needed: usize) -> Result<(), ProjectionError> {
    let mut others = Vec::new();
    while others.len() + 1 < needed.min(MOST_TRIED) {
        let available = others.len() + 1;
        others.push(context.connect().await.map_err(|error| too_few(available, needed, error))?);
    }
    Ok(())
}

fn too_few(available: usize, needed: usize, error: ProjectionError) -> ProjectionError {
    match error {
        ProjectionError::Connect(source) => ProjectionError::TooFewConnections { available, needed, source },
        other => other,
    }
}
