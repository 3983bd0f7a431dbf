//! The claim to a partition: whether it still holds, and how it ends.

use std::time::{Duration, Instant};

use diesel::result::QueryResult;

use super::{Applier, Stop};
use crate::model::partition::State;
use crate::projection::claims::find;
use crate::projection::error::ProjectionError;
use crate::storage::connection::{EventConnection, HasDatabase};

impl<C: EventConnection> Applier<'_, C> {
    /// Whether the number of partitions was changed, so that this one is not there any more. Nobody has lost it then.
    pub(in crate::projection) fn is_replaced(&self, conn: &mut C) -> QueryResult<bool> {
        let row = find(conn, &self.claim.partition)?;
        Ok(row.is_none_or(|row| row.count != self.count))
    }

    /// Whether the log goes so far, and what was applied last is in it. It may go further than its readers are shown at this
    /// moment: an append that has just begun can hold them back.
    pub(in crate::projection) fn check_log(&self, conn: &mut C) -> Result<(), ProjectionError> {
        let checkpoint = self.claim.position;
        let last = conn.database().last_committed_position()?;
        let is_known = checkpoint <= last
            && match self.last_event_id {
                Some(id) => {
                    let event = conn.database().read_event(id)?;
                    event.is_some_and(|event| event.position() <= checkpoint)
                }
                None => true,
            };
        if is_known {
            return Ok(());
        }
        Err(ProjectionError::OtherLog { projection: self.projection_id(), checkpoint, last })
    }

    /// Gives the partition back.
    pub(in crate::projection) fn release(self, conn: &mut C) -> QueryResult<()> {
        conn.database().release(&self.claim).map(drop)
    }

    /// Marks the partition as failed.
    pub(in crate::projection) fn fail(&self, conn: &mut C, error: &ProjectionError) -> QueryResult<()> {
        conn.database().fail(&self.claim, &error.to_string()).map(drop)
    }

    pub(super) fn renew_when_due(&mut self, conn: &mut C) -> Result<(), Stop> {
        if self.renewed_at.elapsed() < self.claim.lease / 3 {
            return Ok(());
        }
        self.renew(conn)
    }

    fn renew(&mut self, conn: &mut C) -> Result<(), Stop> {
        if !conn.database().renew(&self.claim)? {
            return Err(self.lost(self.renewed_at));
        }
        self.renewed_at = Instant::now();
        self.look(conn)
    }

    /// Looks at the partition's row: somebody may have raised a barrier, or a commit may have gone through whose answer was
    /// lost.
    pub(in crate::projection) fn look(&mut self, conn: &mut C) -> Result<(), Stop> {
        let row = find(conn, &self.claim.partition)?;
        let Some(row) = row.filter(|row| row.token == self.claim.token && row.state == State::Active) else {
            return Err(self.lost(self.renewed_at));
        };
        self.barrier = row.barrier;
        if row.position != self.claim.position {
            (self.claim.position, self.scanned_to) = (row.position, row.position);
        }
        // What was only passed over may lie beyond the barrier; the checkpoint cannot follow it there.
        if let Some(barrier) = self.barrier {
            self.scanned_to = self.scanned_to.min(barrier.position);
        }
        Ok(())
    }

    /// Keeps the lease meanwhile.
    pub(super) fn wait(&mut self, conn: &mut C, pause: Duration) -> Result<(), Stop> {
        let mut left = pause;
        while !left.is_zero() {
            let part = left.min(self.claim.lease / 3);
            if !(self.pause)(part) {
                return Err(Stop::Asked);
            }
            left -= part;
            self.renew_when_due(conn)?;
        }
        Ok(())
    }

    fn lost(&self, since: Instant) -> Stop {
        let (projection, partition, lease) = (self.projection_id(), self.number(), self.claim.lease);
        ProjectionError::LeaseLost { projection, partition, took: since.elapsed(), lease }.into()
    }

    /// A claim that is found to be lost was lost while the batch was applied.
    pub(super) fn since(&self, stop: Stop, begin: Instant) -> Stop {
        match stop {
            Stop::Error(ProjectionError::LeaseLost { .. }) => self.lost(begin),
            other => other,
        }
    }
}
