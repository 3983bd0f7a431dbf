use std::time::Duration;

use diesel::mysql::Mysql;
use diesel::result::QueryResult;

use super::outside::refuse_ended_transaction;
use crate::storage::error::OperationError;
use crate::storage::scope::Scope;
use crate::storage::server::Server;

/// READ COMMITTED locks no gaps between rows, and it is what the first statement would make of REPEATABLE
/// READ anyway. The server refuses it while a transaction is open, of which diesel may not know: to begin
/// another would commit that one.
pub(super) const BEGIN: &str = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; START TRANSACTION";

/// How often a transaction of its own is tried that the database rolls back so that another can go on.
const ATTEMPTS: u32 = 10;

/// What is done all or nothing. A trait, because the future of an async closure that borrows cannot be shown
/// to be `Send`.
pub(super) trait Work<C>: Send + Sync {
    type Output: Send;
    type Error: OperationError + Send;

    fn run(
        &self,
        conn: &mut C,
        scope: Scope,
    ) -> impl Future<Output = Result<Self::Output, Self::Error>> + Send;
}

/// Runs `work` all or nothing: in a transaction of its own, or in a savepoint of the application's
/// transaction. Only a transaction of its own is run again after a deadlock.
pub(super) async fn all_or_nothing<C, W>(conn: &mut C, work: W) -> Result<W::Output, W::Error>
where
    C: Server<Backend = Mysql>,
    W: Work<C>,
{
    let mut attempt = 1;
    loop {
        let scope = conn.begin(BEGIN).await?;
        let outcome = match refuse_ended(conn, scope).await {
            Ok(()) => work.run(conn, scope).await,
            Err(error) => Err(error.into()),
        };
        match end(conn, scope, outcome).await {
            Err(error) if scope == Scope::Transaction && attempt < ATTEMPTS && error.is_deadlock() => {
                conn.pause(Duration::from_millis(attempt.into())).await;
                attempt += 1;
            }
            outcome => return outcome,
        }
    }
}

/// After a deadlock the server has rolled back the application's whole transaction, and CREATE TABLE has
/// committed it. An application that goes on all the same believes to be in it, and so does diesel.
async fn refuse_ended<C: Server<Backend = Mysql>>(conn: &mut C, scope: Scope) -> QueryResult<()> {
    match scope {
        Scope::Transaction => Ok(()),
        Scope::Savepoint => refuse_ended_transaction(conn).await,
    }
}

async fn end<C, T, E>(conn: &mut C, scope: Scope, outcome: Result<T, E>) -> Result<T, E>
where
    C: Server<Backend = Mysql>,
    E: OperationError,
{
    let error = match outcome {
        Ok(value) => match conn.commit().await {
            Ok(()) => return Ok(value),
            // diesel has rolled it back, if it can be.
            Err(error) if scope == Scope::Transaction => return Err(error.into()),
            // diesel still counts the savepoint.
            Err(error) => error.into(),
        },
        Err(error) => error,
    };
    // What has been reported already matters more to the caller than a failure to roll back, of which diesel
    // takes note itself: it marks the connection as broken, or the transaction as one that can only be rolled
    // back.
    let _ = conn.roll_back().await;
    Err(error)
}
