use super::context::Context;
use super::pace::{LONGEST_RECONNECT_PAUSE, Pace};
use crate::observe;
use crate::projection::apply::Applier;
use crate::projection::error::ProjectionError;
use crate::projection::link::{IsAsked, pause};
use crate::storage::connection::EventConnection;
use crate::storage::now::now;

/// A partition that stops: its handler is not called again until somebody has resumed it.
pub(super) struct Stopping<'s, C: EventConnection> {
    pub(super) context: &'s Context<C>,
    pub(super) applier: Applier<'s, C>,
    pub(super) is_asked: &'s IsAsked<'s>,
    pub(super) error: ProjectionError,
}

impl<C: EventConnection> Stopping<'_, C> {
    /// Marks the partition as failed. As long as the database refuses that, the worker keeps the partition
    /// and does nothing with it: no other worker would fare better. Returns what is to be reported in the
    /// end.
    pub(super) fn stop(mut self, conn: C) -> ProjectionError {
        self.context.health.stops(self.applier.partition());
        // The handler may have left the connection unusable, or in a transaction that diesel does not know
        // of.
        let is_usable = !matches!(self.error, ProjectionError::TransactionEnded { .. });
        if let Some(Ok(is_marked)) = is_usable.then(|| self.mark(conn)) {
            return self.end(is_marked);
        }
        let mut retry = Pace::new(LONGEST_RECONNECT_PAUSE.min(self.applier.longest_pause()));
        let mut is_reported = false;
        loop {
            match self.context.connect().and_then(|conn| self.mark(conn)) {
                Ok(is_marked) => return self.end(is_marked),
                Err(refusal) if !is_reported => {
                    self.context.has_failed(self.refused(refusal));
                    is_reported = true;
                }
                Err(_) => {}
            }
            if !now(pause::<C>(retry.next(), self.is_asked)) {
                return self.give_back();
            }
        }
    }

    /// Another worker may fare better one day.
    fn give_back(self) -> ProjectionError {
        if let Ok(mut conn) = self.context.connect() {
            // If this fails, the lease runs out.
            let _ = now(self.applier.release(&mut conn));
        }
        self.error
    }

    /// Whether the partition is still this worker's, and marked.
    fn mark(&mut self, mut conn: C) -> Result<bool, ProjectionError> {
        match now(self.applier.fail(&mut conn, &self.error)) {
            Ok(is_marked) => Ok(is_marked),
            Err(refusal) => {
                // If that is refused, too, the lease runs out, and the next worker stops at the same event.
                let _ = now(self.applier.keep(&mut conn));
                Err(refusal.into())
            }
        }
    }

    fn refused(&self, refusal: ProjectionError) -> ProjectionError {
        match refusal {
            ProjectionError::Database(refusal) => {
                ProjectionError::not_recorded(self.applier.partition(), self.error.to_string(), refusal)
            }
            other => other,
        }
    }

    fn end(self, is_marked: bool) -> ProjectionError {
        if !is_marked {
            // Whoever has the lease now applies the event, or fails at it in turn.
            return self.applier.lease_lost();
        }
        observe::projection::failed(self.applier.partition(), &self.error);
        self.error
    }
}
