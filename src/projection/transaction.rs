//! A transaction in which the application has the connection, too.

use diesel::result::{Error, QueryResult};

use super::link::Link;
use crate::storage::transactions::Transactions;

/// A transaction that is open, or a savepoint in the application's. If it is dropped before it has ended, it is
/// rolled back.
pub(super) struct LentTransaction<'l, L: Link> {
    pub(super) link: &'l mut L,
    depth_around: u32,
    has_ended: bool,
}

impl<'l, L: Link> LentTransaction<'l, L> {
    pub(super) async fn begin(link: &'l mut L) -> QueryResult<Self> {
        let depth_around = link.database().depth().await?;
        let mut open = Self { link, depth_around, has_ended: false };
        let begun = open.link.database().begin().await;
        open.has_ended = begun.is_err();
        begun.map(|()| open)
    }

    /// Rolls back what has failed. What has succeeded, the caller has committed.
    pub(super) async fn finish<T, E>(mut self, outcome: Result<T, E>) -> Result<T, E> {
        if outcome.is_err() {
            self.link.database().roll_back_to(self.depth_around).await;
        }
        self.has_ended = true;
        outcome
    }

    /// Has the application do its part after that of this crate, and commits both, or neither.
    pub(super) async fn end_with<E: From<Error>>(
        self,
        done: Result<(), E>,
        work: impl AsyncFnOnce(&mut L::Conn) -> Result<(), E>,
    ) -> Result<(), E> {
        let outcome = match done {
            Ok(()) => worked(self.link, work).await,
            Err(error) => Err(error),
        };
        self.finish(outcome).await
    }
}

async fn worked<L: Link, E: From<Error>>(
    link: &mut L,
    work: impl AsyncFnOnce(&mut L::Conn) -> Result<(), E>,
) -> Result<(), E> {
    work(link.conn()).await?;
    Ok(link.database().commit().await?)
}

impl<L: Link> Drop for LentTransaction<'_, L> {
    fn drop(&mut self) {
        if !self.has_ended {
            self.link.abandon(self.depth_around);
        }
    }
}
