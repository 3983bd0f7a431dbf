use diesel::result::{Error, QueryResult};

use crate::storage::error::is_missing_savepoint;
use crate::storage::give_up::{GiveUp, Guard};
use crate::storage::operations::operations;

operations! {
    /// A transaction that this crate opens, and in which it lends the connection to the application.
    pub(crate) trait Transactions {
        /// Whether no two transactions that write can be open at the same time.
        fn has_one_writer(&mut self) -> bool;

        /// How many transactions and savepoints are open.
        fn depth(&mut self) -> QueryResult<u32>;

        /// Refuses a transaction that diesel does not know of, before anything is written in it: wherever the
        /// application may have begun one since this crate had the connection last.
        fn refuse_foreign(&mut self) -> QueryResult<()>;

        /// Opens a transaction that is going to write, or a savepoint in the one that is open.
        fn begin(&mut self) -> QueryResult<()>;

        /// Ends the innermost. [`has_ended`](crate::storage::error::has_ended) tells whether that has failed
        /// because the application had ended it.
        fn commit(&mut self) -> QueryResult<()>;

        /// Rolls back everything that was opened above this depth. The caller reports what has made it
        /// necessary rather than a failure to roll back, of which diesel takes note itself: it marks the
        /// connection as broken.
        fn roll_back_to(&mut self, depth: u32) -> ();

        /// Before the application gets the connection.
        fn begin_loan(&mut self) -> QueryResult<()>;

        /// After the application has had the connection: whether it has left open what was open, as far as
        /// one must know before anything else is written. With SQL of its own it can end transactions without
        /// diesel's taking note.
        fn end_loan(&mut self) -> QueryResult<bool>;

        /// The same where the application has failed. What it has done since the loan began is rolled back.
        fn undo_loan(&mut self) -> QueryResult<bool>;

        /// Whether the database itself rolls whole transactions back with this message. Asked where the
        /// transaction is gone; another database or another connection may have sent the message.
        fn has_rolled_back(&mut self, message: &str) -> QueryResult<bool>;
    }
}

/// Whether the savepoint was there. If the transaction was ended, by whatever means, it is gone.
pub(crate) fn was_there(ended: QueryResult<()>) -> QueryResult<bool> {
    match ended {
        Ok(()) => Ok(true),
        Err(error) if is_missing_savepoint(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// A transaction that is open, or a savepoint in the application's transaction.
pub(crate) struct Open<'d, D: Transactions + GiveUp> {
    pub(crate) database: Guard<'d, D>,
    depth_around: u32,
}

impl<'d, D: Transactions + GiveUp> Open<'d, D> {
    pub(crate) async fn begin(database: &'d mut D) -> QueryResult<Self> {
        database.refuse_foreign().await?;
        let depth_around = database.depth().await?;
        let mut database = Guard::new(database);
        match database.begin().await {
            Ok(()) => Ok(Self { database, depth_around }),
            Err(error) => {
                database.disarm();
                Err(error)
            }
        }
    }

    /// Commits what was done, or rolls it back.
    pub(crate) async fn end<T, E: From<Error>>(mut self, outcome: Result<T, E>) -> Result<T, E> {
        let ended = match outcome {
            Ok(value) => self.database.commit().await.map(|()| value).map_err(E::from),
            Err(error) => Err(error),
        };
        if ended.is_err() {
            self.database.roll_back_to(self.depth_around).await;
        }
        self.database.disarm();
        ended
    }
}
