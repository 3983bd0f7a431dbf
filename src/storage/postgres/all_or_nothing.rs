use diesel::pg::Pg;
use diesel::result::{Error, QueryResult};

use super::outside::refuse_foreign;
use crate::storage::give_up::Guard;
use crate::storage::server::{Server, roll_back_to};

/// What waits for a lock must see afterwards what was committed meanwhile, whatever the database's default.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// A transaction that is open, or a savepoint in the application's transaction.
pub(super) struct Open<'c, C: Server> {
    pub(super) conn: Guard<'c, C>,
    depth_around: u32,
}

pub(super) async fn begin<C: Server<Backend = Pg>>(conn: &mut C) -> QueryResult<Open<'_, C>> {
    refuse_foreign(conn).await?;
    let depth_around = conn.depth()?;
    let mut conn = Guard::new(conn);
    match conn.begin(BEGIN).await {
        Ok(_) => Ok(Open { conn, depth_around }),
        Err(error) => {
            conn.disarm();
            Err(error)
        }
    }
}

impl<C: Server<Backend = Pg>> Open<'_, C> {
    /// Whether it is a transaction of its own.
    pub(super) fn is_alone(&self) -> bool {
        self.depth_around == 0
    }

    /// Commits what was begun, or rolls it back.
    pub(super) async fn end<T, E: From<Error>>(mut self, outcome: Result<T, E>) -> Result<T, E> {
        let ended = match outcome {
            Ok(value) => self.conn.commit().await.map(|()| value).map_err(E::from),
            Err(error) => Err(error),
        };
        if ended.is_err() {
            roll_back_to(&mut *self.conn, self.depth_around).await;
        }
        self.conn.disarm();
        ended
    }
}
