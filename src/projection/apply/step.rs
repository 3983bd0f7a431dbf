//! One step of a partition: a transaction for the work, and the checkpoint.

use diesel::result::QueryResult;

use super::lease::Lease;
use super::stop::{Rollback, Stop};
use crate::model::event::RecordedEvent;
use crate::model::parked::ParkedEvent;
use crate::model::position::Position;
use crate::model::projection_id::ProjectionId;
use crate::observe;
use crate::projection::error::ProjectionError;
use crate::projection::handler::HandlerError;
use crate::projection::link::{Link, ProjectionOf};
use crate::projection::transaction::LentTransaction;
use crate::storage::error::has_ended;
use crate::storage::parked::Parked;
use crate::storage::partitions::Step;
use crate::storage::transactions::Transactions;

const OWN_CHECKPOINT: &str = "the handler has changed the checkpoint of its own projection, and was rolled back: \
     rewind, reset, repartition or retire a projection outside its handler";

/// What a step does beside moving the checkpoint.
#[derive(Clone, Copy, Default)]
pub(super) struct Work<'w> {
    /// What the handler is given.
    pub(super) events: &'w [RecordedEvent],
    pub(super) parking: &'w [Parking],
}

/// What becomes of a parked event.
pub(super) enum Parking {
    Park(ParkedEvent),
    Repark(ParkedEvent),
    Unpark(Position),
}

/// Does the work and moves the checkpoint, or does neither, also if the handler panics or the future is
/// dropped in the middle.
pub(super) async fn transaction<L: Link>(
    conn: &mut L,
    projection: &ProjectionOf<L>,
    lease: &mut Lease,
    step: &Step,
    work: Work<'_>,
) -> Result<(), Rollback> {
    let open = LentTransaction::begin(conn).await?;
    let outcome = within(open.link, projection, lease, step, work).await;
    let outcome = match open.finish(outcome).await {
        Ok(()) => Ok(()),
        Err(Undone::Because(rollback)) => Err(rollback),
        Err(Undone::NotMoved) => Err(why_not_moved(conn, lease, work).await),
    };
    if outcome.is_ok() {
        lease.note_advanced(step.to);
    }
    // Where diesel cannot tell what has become of the transaction, the connection is of no further use.
    let Err(broken) = conn.database().depth().await else { return outcome };
    Err(match outcome {
        Err(rollback) if !work.events.is_empty() => rollback.on_lost_connection(broken),
        Err(rollback) => rollback,
        Ok(()) => broken.into(),
    })
}

async fn within<L: Link>(
    conn: &mut L,
    projection: &ProjectionOf<L>,
    lease: &mut Lease,
    step: &Step,
    work: Work<'_>,
) -> Result<(), Undone> {
    if let Some(first) = work.events.first() {
        let calls = lease.calls();
        let calling = calls.begin(lease.call(first.position()));
        let lent = lend(conn, projection, lease, work.events).await;
        if calling.end() {
            lease.is_failing();
        }
        lent?;
    }
    for parking in work.parking {
        parking.write(conn, &projection.id).await?;
    }
    if !lease.advance(conn, step).await? {
        return Err(Undone::NotMoved);
    }
    Ok(commit(conn, lease).await?)
}

/// Why a transaction is rolled back.
enum Undone {
    Because(Rollback),
    /// The checkpoint could not be moved. Why, the partition's row says once all is rolled back.
    NotMoved,
}

impl<E: Into<Rollback>> From<E> for Undone {
    fn from(error: E) -> Self {
        Self::Because(error.into())
    }
}

/// If the partition's row is as it was known after what the handler has done is rolled back, the handler has
/// changed it.
async fn why_not_moved<L: Link>(conn: &mut L, lease: &mut Lease, work: Work<'_>) -> Rollback {
    match lease.look_what_was_in_the_way(conn).await {
        Ok(()) if !work.events.is_empty() => Rollback::Handler(HandlerError::failed(OWN_CHECKPOINT)),
        Ok(()) => Rollback::Stop(Stop::Moved),
        Err(stop) => Rollback::Stop(stop),
    }
}

impl Parking {
    async fn write<L: Link>(&self, conn: &mut L, id: &ProjectionId) -> QueryResult<()> {
        match self {
            Self::Park(parked) => conn.database().park(id, parked).await,
            Self::Repark(parked) => conn.database().repark(id, parked).await.map(drop),
            Self::Unpark(position) => conn.database().unpark(id, *position).await.map(drop),
        }
    }
}

/// What the application's constraints say at this point is the handler's doing.
async fn commit<L: Link>(conn: &mut L, lease: &Lease) -> Result<(), Rollback> {
    conn.database().commit().await.map_err(|error| match has_ended(&error) {
        true => transaction_ended(lease),
        false => Rollback::Handler(error.into()),
    })
}

/// Lends the connection to the handler. A handler that ends the transaction, by whatever means, is found out.
async fn lend<L: Link>(
    conn: &mut L,
    projection: &ProjectionOf<L>,
    lease: &Lease,
    events: &[RecordedEvent],
) -> Result<(), Rollback> {
    let batch = observe::projection::batch(lease.partition(), events);
    conn.database().begin_loan().await?;
    let depth = conn.database().depth().await?;
    let outcome = batch.around(conn.handle(&projection.handler, events)).await;
    match outcome {
        Ok(()) => {
            let is_open = conn.database().depth().await? == depth && has_ended_well(conn).await?;
            if is_open { Ok(()) } else { Err(transaction_ended(lease)) }
        }
        Err(error) => {
            let is_open = is_undone(conn, depth, &error).await;
            Err(if is_open { Rollback::Handler(error) } else { transaction_ended(lease) })
        }
    }
}

async fn has_ended_well<L: Link>(conn: &mut L) -> Result<bool, Rollback> {
    conn.database().end_loan().await.map_err(|error| Rollback::Handler(error.into()))
}

/// Whether nothing is left of what a handler has done that has failed. If it has ended the transaction
/// before, it must not be given the events again: what it has committed would be there twice.
async fn is_undone<L: Link>(conn: &mut L, depth: u32, error: &HandlerError) -> bool {
    if error.is_panic() {
        // It has left the transactions open that it was in.
        conn.database().roll_back_to(depth).await;
    }
    let open = conn.database().depth().await;
    if !open.as_ref().is_ok_and(|open| *open == depth) {
        return open.is_err(); // the connection is lost, and the database has rolled back
    }
    conn.database().undo_loan().await.unwrap_or(true) || is_rolled_back(conn, error).await
}

/// Whether the database itself has ended the transaction. That the handler wants to be called again does not
/// say so, and neither does an error of another database.
async fn is_rolled_back<L: Link>(conn: &mut L, error: &HandlerError) -> bool {
    match error.message_of_database() {
        Some(message) => conn.database().has_rolled_back(message).await.unwrap_or(true),
        None => false,
    }
}

fn transaction_ended(lease: &Lease) -> Rollback {
    ProjectionError::TransactionEnded { projection: lease.projection().clone() }.into()
}
