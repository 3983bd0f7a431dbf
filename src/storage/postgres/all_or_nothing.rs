use diesel::pg::Pg;
use diesel::result::{Error, QueryResult};

use super::outside::refuse_foreign;
use crate::storage::server::{Server, roll_back_to};

/// What waits for a lock must see afterwards what was committed meanwhile, whatever the database's default.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// Opens a transaction, or a savepoint in the application's transaction. Returns what was open before.
pub(super) async fn begin<C: Server<Backend = Pg>>(conn: &mut C) -> QueryResult<u32> {
    refuse_foreign(conn).await?;
    let depth = conn.depth()?;
    conn.begin(BEGIN).await?;
    Ok(depth)
}

/// Commits what was begun, or rolls it back.
pub(super) async fn end<C, T, E>(conn: &mut C, depth: u32, outcome: Result<T, E>) -> Result<T, E>
where
    C: Server<Backend = Pg>,
    E: From<Error>,
{
    let ended = match outcome {
        Ok(value) => conn.commit().await.map(|()| value).map_err(E::from),
        Err(error) => Err(error),
    };
    if ended.is_err() {
        roll_back_to(conn, depth).await;
    }
    ended
}
