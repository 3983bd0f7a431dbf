use std::sync::Arc;

use uuid::Uuid;

use super::apply::{Applier, Stop, Turns};
use super::definition::Projection;
use super::error::ProjectionError;
use super::link::{Link, ProjectionOf};
use super::page::Page;
use super::repartition;
use crate::model::partition::{Partition, PartitionKey};
use crate::model::position::Position;
use crate::storage::connection::EventConnection;
use crate::storage::now::now;
use crate::storage::partitions::Partitions;
use crate::storage::transactions::Transactions;
use crate::store::read_log::read_log;

/// What [`Projection::catch_up`] has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CaughtUp {
    applied: u64,
    position: Position,
}

impl CaughtUp {
    /// How many events the handler has applied.
    pub fn applied(&self) -> u64 {
        self.applied
    }

    /// Where the projection is now: of several partitions, the one that is furthest behind.
    pub fn position(&self) -> Position {
        self.position
    }
}

impl<C: EventConnection> Projection<C> {
    /// Applies the events of the log that were not applied yet, and returns: for scripts, and for tests. A
    /// [`Runner`](super::Runner) goes on with those that are appended later.
    ///
    /// Alone, each batch is a transaction of its own. Inside a transaction of the application, everything is
    /// part of it, each batch in a savepoint; on MySQL the log is then read up to what is
    /// [published](crate::EventStore::publish_position).
    ///
    /// # Errors
    ///
    /// [`ProjectionError`]. What was applied before stays applied. After [`Failed`](ProjectionError::Failed)
    /// the next call begins with the event that has failed. So it does if the handler has failed and its
    /// connection is lost as well, whatever the policy; only a runner counts lost connections. [`Owned`](ProjectionError::Owned) says that a
    /// worker has the lease of a partition, or had it and has not given it back: then the lease has to run
    /// out.
    ///
    /// ```
    /// use diesel::prelude::*;
    /// use diesel_event_store::projection::Projection;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let mut conn = SqliteConnection::establish(":memory:")?;
    /// # diesel_event_store::run_pending_migrations(&mut conn)?;
    /// let printed = Projection::new("printed", 1, |_conn: &mut SqliteConnection, event| {
    ///     println!("{}", event.event_type());
    ///     Ok(())
    /// });
    /// assert_eq!(printed.catch_up(&mut conn)?.applied(), 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn catch_up(&self, conn: &mut C) -> Result<CaughtUp, ProjectionError> {
        now(catch_up(conn, self))
    }
}

pub(super) async fn catch_up<L: Link>(
    conn: &mut L,
    projection: &ProjectionOf<L>,
) -> Result<CaughtUp, ProjectionError> {
    projection.validate()?;
    let owner = format!("catch_up {}", Uuid::now_v7());
    let mut applied = 0;
    loop {
        let partitions = repartition::current(&mut conn.database(), projection).await?;
        let mut position = Position::END;
        for partition in &partitions {
            let part = catch_up_partition(conn, projection, partition, &owner).await?;
            (applied, position) = (applied + part.applied, position.min(part.position));
        }
        if partitions.iter().all(|partition| partition.barrier.is_none()) {
            return Ok(CaughtUp { applied, position });
        }
    }
}

async fn catch_up_partition<L: Link>(
    conn: &mut L,
    projection: &ProjectionOf<L>,
    partition: &Partition,
    owner: &str,
) -> Result<CaughtUp, ProjectionError> {
    let (turns, is_asked, calls) = (Turns::default(), || false, Arc::default());
    if conn.database().has_one_writer().await && conn.database().depth().await? == 0 {
        turns.always();
    }
    let leased = Applier::lease(conn, projection, partition, owner, &is_asked, &turns, &calls).await?;
    let Some(applier) = leased else {
        return Err(owned(conn, partition).await?);
    };
    let mut applier = applier.on_one_connection();
    let outcome = apply_to_end(conn, projection, &mut applier, partition.count).await;
    let done = CaughtUp { applied: applier.applied(), position: applier.position() };
    match outcome {
        Ok(()) => Ok(applier.give_back(conn).await.map(|()| done)?),
        Err(error) => {
            // What has gone wrong matters more. If this fails, too, the lease runs out.
            let _ = applier.give_back(conn).await;
            Err(error)
        }
    }
}

/// To the end of the log, or to a barrier.
async fn apply_to_end<L: Link>(
    conn: &mut L,
    projection: &ProjectionOf<L>,
    applier: &mut Applier<'_, L>,
    partitions: i32,
) -> Result<(), ProjectionError> {
    loop {
        match follow_to_end(conn, projection, applier, partitions).await {
            // Nothing asks this call to stop.
            Ok(()) | Err(Stop::Asked) => return Ok(()),
            Err(Stop::Moved) => {}
            Err(Stop::PutBack) => return Err(applier.lease_lost()),
            Err(Stop::Error(error)) => return Err(error),
        }
    }
}

async fn follow_to_end<L: Link>(
    conn: &mut L,
    projection: &ProjectionOf<L>,
    applier: &mut Applier<'_, L>,
    partitions: i32,
) -> Result<(), Stop> {
    let mut page_size = projection.page_size(partitions);
    applier.begin(conn).await?;
    loop {
        let query = projection.query(applier.position());
        let slice = read_log(&mut conn.database(), &query, page_size.next()).await?;
        page_size.learn(&slice, query.max_bytes);
        let page = Page::new(query.from, slice, partitions);
        applier.apply(conn, &page).await?;
        if page.is_end() && applier.position() >= page.scanned_to() || applier.is_at_barrier() {
            return applier.save(conn).await;
        }
    }
}

async fn owned<L: Link>(conn: &mut L, partition: &Partition) -> Result<ProjectionError, ProjectionError> {
    let row = conn.database().partition(&partition.key).await?;
    let owner = row.and_then(|row| row.owner).unwrap_or_default();
    let PartitionKey { projection, number } = partition.key.clone();
    Ok(ProjectionError::Owned { projection, partition: number, owner })
}
