use diesel::result::{Error, QueryResult};

use crate::storage::asynchronous::awaited::awaited;
use crate::storage::asynchronous::connection::AsyncConnectionRef;
#[cfg(feature = "async-sqlite")]
use crate::storage::asynchronous::sqlite;
use crate::storage::give_up::GiveUp;
use crate::storage::transactions::Transactions;

/// What does nothing on SQLite does not go to another thread for it.
impl Transactions for AsyncConnectionRef<'_> {
    async fn has_one_writer(&mut self) -> bool {
        match self {
            #[cfg(feature = "async-sqlite")]
            Self::Sqlite(_) => true,
            #[cfg(any(feature = "async-postgres", feature = "async-mysql"))]
            _ => false,
        }
    }

    async fn depth(&mut self) -> QueryResult<u32> {
        match self {
            #[cfg(feature = "async-sqlite")]
            Self::Sqlite(conn) => sqlite::depth(conn),
            #[cfg(any(feature = "async-postgres", feature = "async-mysql"))]
            _ => awaited!(self, clone(), database => database.depth()),
        }
    }

    async fn refuse_foreign(&mut self) -> QueryResult<()> {
        match self {
            #[cfg(feature = "async-sqlite")]
            Self::Sqlite(_) => Ok(()),
            #[cfg(any(feature = "async-postgres", feature = "async-mysql"))]
            _ => awaited!(self, clone(), database => database.refuse_foreign()),
        }
    }

    async fn begin(&mut self) -> QueryResult<()> {
        awaited!(self, clone(), database => database.begin())
    }

    async fn commit(&mut self) -> QueryResult<()> {
        awaited!(self, clone(), database => database.commit())
    }

    /// If that is not possible, what is open is not known any more.
    async fn roll_back_to(&mut self, depth: u32) {
        let rolled_back: QueryResult<()> = awaited!(self, clone(), database => async {
            database.roll_back_to(depth).await;
            Ok::<(), Error>(())
        });
        if rolled_back.is_err() {
            self.give_up();
        }
    }

    async fn begin_loan(&mut self) -> QueryResult<()> {
        match self {
            #[cfg(feature = "async-sqlite")]
            Self::Sqlite(_) => Ok(()),
            #[cfg(any(feature = "async-postgres", feature = "async-mysql"))]
            _ => awaited!(self, clone(), database => database.begin_loan()),
        }
    }

    async fn end_loan(&mut self) -> QueryResult<bool> {
        awaited!(self, clone(), database => database.end_loan())
    }

    async fn undo_loan(&mut self) -> QueryResult<bool> {
        awaited!(self, clone(), database => database.undo_loan())
    }

    async fn has_rolled_back(&mut self, message: &str) -> QueryResult<bool> {
        awaited!(self, clone(message: message.to_owned()), database => database.has_rolled_back(message))
    }
}
