use diesel::connection::{AnsiTransactionManager, TransactionManager};
use diesel::result::{Error, QueryResult};

use crate::connection::EventConnection;

/// A transaction that this crate opens, and in which it lends the connection to the application.
pub(crate) trait Transactions {
    /// How many transactions and savepoints are open.
    fn depth(&mut self) -> QueryResult<u32>;

    /// Opens a transaction that is going to write, or a savepoint in the one that is open.
    fn begin(&mut self) -> QueryResult<()>;

    /// Ends the innermost.
    fn commit(&mut self) -> QueryResult<()>;

    /// Undoes everything that was opened above this depth. What has made it necessary matters more to the caller than a
    /// failure to roll back, of which diesel takes note itself: it marks the connection as broken.
    fn roll_back_to(&mut self, depth: u32);
}

macro_rules! transactions {
    (for $connection:ty; begin: $begin:literal; before_rollback: $before_rollback:expr; after_last: $after_last:expr) => {
        impl $crate::transaction::Transactions for $connection {
            fn depth(&mut self) -> diesel::result::QueryResult<u32> {
                $crate::transaction::depth(self)
            }

            fn begin(&mut self) -> diesel::result::QueryResult<()> {
                use diesel::connection::{AnsiTransactionManager as Manager, TransactionManager};
                match Manager::begin_transaction_sql(self, $begin) {
                    Err(diesel::result::Error::AlreadyInTransaction) => Manager::begin_transaction(self),
                    outcome => outcome,
                }
            }

            fn commit(&mut self) -> diesel::result::QueryResult<()> {
                use diesel::connection::{AnsiTransactionManager as Manager, TransactionManager};
                Manager::commit_transaction(self)
            }

            fn roll_back_to(&mut self, depth: u32) {
                use diesel::connection::{AnsiTransactionManager as Manager, TransactionManager};
                while let Ok(open) = $crate::transaction::depth(self) {
                    if open <= depth {
                        break;
                    }
                    let prepare: fn(&mut Self, u32) = $before_rollback;
                    prepare(self, open);
                    // If a savepoint is gone, what is around it must not be left open; diesel counts down all the same.
                    let _ = Manager::rollback_transaction(self);
                }
                if depth == 0 {
                    let end_unknown: fn(&mut Self) = $after_last;
                    end_unknown(self);
                }
            }
        }
    };
}

pub(crate) use transactions;

pub(crate) fn depth<C>(conn: &mut C) -> QueryResult<u32>
where
    C: diesel::Connection<TransactionManager = AnsiTransactionManager>,
{
    let status = AnsiTransactionManager::transaction_manager_status_mut(conn);
    Ok(status.transaction_depth()?.map_or(0, Into::into))
}

/// All or nothing, in a transaction of its own or in a savepoint.
pub(crate) fn in_transaction<C, T, E>(conn: &mut C, work: impl FnOnce(&mut C) -> Result<T, E>) -> Result<T, E>
where
    C: EventConnection + ?Sized,
    E: From<Error>,
{
    let depth = conn.lend().backend().depth()?;
    conn.lend().backend().begin()?;
    let outcome = work(conn).and_then(|value| {
        conn.lend().backend().commit()?;
        Ok(value)
    });
    if outcome.is_err() {
        conn.lend().backend().roll_back_to(depth);
    }
    outcome
}
