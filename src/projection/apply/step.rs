//! One step of a partition: a transaction for the work, and the checkpoint.

use std::time::Instant;

use super::lease::Lease;
use super::stop::Rollback;
use crate::model::event::RecordedEvent;
use crate::observe;
use crate::projection::definition::Projection;
use crate::projection::error::ProjectionError;
use crate::projection::handler::HandlerError;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::error::is_missing_savepoint;
use crate::storage::partitions::Step;

/// Does the work and moves the checkpoint, or does neither.
pub(super) fn transaction<C: EventConnection>(
    conn: &mut C,
    lease: &mut Lease,
    step: &Step,
    work: impl FnOnce(&mut C, &Lease) -> Result<(), Rollback>,
) -> Result<(), Rollback> {
    let begin = Instant::now();
    let depth = conn.database().depth()?;
    conn.database().begin()?;
    let outcome = work(conn, lease)
        .and_then(|()| lease.advance(conn, step, begin).map_err(Rollback::Stop))
        .and_then(|()| commit(conn, lease));
    match outcome {
        Ok(()) => lease.has_advanced(step.to),
        Err(_) => conn.database().roll_back_to(depth),
    }
    // Where diesel cannot tell what has become of the transaction, the connection is of no further use.
    conn.database().depth()?;
    outcome
}

/// What the application's constraints say at this point is the handler's doing.
fn commit<C: EventConnection>(conn: &mut C, lease: &Lease) -> Result<(), Rollback> {
    conn.database().commit().map_err(|error| match is_missing_savepoint(&error) {
        true => transaction_ended(lease),
        false => Rollback::Handler(error.into()),
    })
}

/// Lends the connection to the handler. A handler that ends the transaction, by whatever means, is found out.
pub(super) fn lend<C: EventConnection>(
    conn: &mut C,
    lease: &Lease,
    projection: &Projection<C>,
    events: &[RecordedEvent],
) -> Result<(), Rollback> {
    let _batch = observe::projection::batch(lease.partition(), events);
    conn.database().begin_loan()?;
    let depth = conn.database().depth()?;
    let outcome = projection.handler.handle(conn, events);
    if outcome.as_ref().is_err_and(HandlerError::is_panic) {
        // It has left the transactions open that it was in.
        conn.database().roll_back_to(depth);
    }
    if conn.database().depth()? != depth {
        return Err(transaction_ended(lease));
    }
    outcome.map_err(Rollback::Handler)?;
    let is_open = conn.database().end_loan().map_err(|error| Rollback::Handler(error.into()))?;
    if is_open { Ok(()) } else { Err(transaction_ended(lease)) }
}

fn transaction_ended(lease: &Lease) -> Rollback {
    ProjectionError::TransactionEnded { projection: lease.projection().clone() }.into()
}
