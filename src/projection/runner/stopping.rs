use super::context::Context;
use super::crew::Crew;
use super::health::Stops;
use super::pace::{LONGEST_RECONNECT_PAUSE, Pace};
use crate::observe;
use crate::projection::apply::Applier;
use crate::projection::error::ProjectionError;
use crate::projection::link::{IsAsked, pause};

/// A partition that stops: its handler is not called again until somebody has resumed it.
pub(super) struct Stopping<'s, W: Crew> {
    pub(super) context: &'s Context<W>,
    pub(super) applier: Applier<'s, W::Link>,
    pub(super) is_asked: &'s IsAsked<'s>,
    pub(super) error: ProjectionError,
}

impl<W: Crew> Stopping<'_, W> {
    /// Marks the partition as failed. As long as the database refuses that, the worker keeps the partition
    /// and does nothing with it: no other worker would fare better. Returns what is to be reported in the
    /// end.
    pub(super) async fn stop(mut self, conn: W::Link) -> ProjectionError {
        let stops = self.context.health.stops(self.applier.partition());
        // The handler may have left the connection unusable, or in a transaction that diesel does not know
        // of.
        if matches!(self.error, ProjectionError::TransactionEnded { .. }) {
            // Before another one is asked for, which a pool may not have.
            drop(conn);
        } else if let Ok(is_marked) = self.mark(conn).await {
            return self.end(is_marked, stops);
        }
        let mut retry = Pace::new(LONGEST_RECONNECT_PAUSE.min(self.applier.longest_pause()));
        let mut is_reported = false;
        loop {
            match self.mark_anew().await {
                Ok(is_marked) => return self.end(is_marked, stops),
                Err(refusal) if !is_reported => {
                    self.context.record_failure(self.refused(refusal));
                    is_reported = true;
                }
                Err(_) => {}
            }
            if !pause::<W::Link>(retry.next(), self.is_asked).await {
                return self.give_back().await;
            }
        }
    }

    /// Another worker may fare better one day.
    async fn give_back(self) -> ProjectionError {
        if let Ok(mut conn) = self.context.connect().await {
            // If this fails, the lease runs out.
            let _ = self.applier.release(&mut conn).await;
        }
        self.error
    }

    async fn mark_anew(&mut self) -> Result<bool, ProjectionError> {
        let conn = self.context.connect().await?;
        self.mark(conn).await
    }

    /// Whether the partition is still this worker's, and marked.
    async fn mark(&mut self, mut conn: W::Link) -> Result<bool, ProjectionError> {
        match self.applier.fail(&mut conn, &self.error).await {
            Ok(is_marked) => Ok(is_marked),
            Err(refusal) => {
                // If that is refused, too, the lease runs out, and the next worker stops at the same event.
                let _ = self.applier.keep(&mut conn).await;
                let _ = self.applier.note_failure(&mut conn, &self.error.to_string()).await;
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

    fn end(self, is_marked: bool, stops: Stops) -> ProjectionError {
        stops.end(is_marked);
        if !is_marked {
            // Whoever has the lease now applies the event, or fails at it in turn.
            return self.applier.lease_lost();
        }
        observe::projection::failed(self.applier.partition(), &self.error);
        self.error
    }
}
