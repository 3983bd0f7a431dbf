use diesel::result::QueryResult;

use super::begun::{BEGIN, ROLLBACK};
use super::commit::{EndTransaction, commit};
use super::outside::refuse_foreign;
use crate::storage::lent::Postgres;
use crate::storage::server::{roll_back_to, undo};
use crate::storage::transactions::{Transactions, was_there};

impl<C: EndTransaction> Transactions for Postgres<'_, C> {
    async fn has_one_writer(&mut self) -> bool {
        false
    }

    async fn depth(&mut self) -> QueryResult<u32> {
        self.0.depth()
    }

    async fn refuse_foreign(&mut self) -> QueryResult<()> {
        refuse_foreign(self.0).await
    }

    async fn begin(&mut self) -> QueryResult<()> {
        self.0.begin(BEGIN).await.map(drop)
    }

    /// The application may have gone on after an error.
    async fn commit(&mut self) -> QueryResult<()> {
        commit(self.0).await
    }

    async fn roll_back_to(&mut self, depth: u32) {
        roll_back_to(self.0, depth).await;
        if depth == 0 {
            let _ = self.0.batch(ROLLBACK).await;
        }
    }

    async fn begin_loan(&mut self) -> QueryResult<()> {
        self.0.set_savepoint().await
    }

    async fn end_loan(&mut self) -> QueryResult<bool> {
        was_there(self.0.commit().await)
    }

    async fn undo_loan(&mut self) -> QueryResult<bool> {
        was_there(undo(self.0).await)
    }

    /// PostgreSQL ends a transaction only with its connection. After any error, it can be rolled back to the
    /// savepoint.
    async fn has_rolled_back(&mut self, _message: &str) -> QueryResult<bool> {
        Ok(false)
    }
}
