use diesel::result::{Error, QueryResult};

use crate::storage::asynchronous::awaited::awaited;
use crate::storage::asynchronous::connection::AsyncEventConnection;
use crate::storage::give_up::GiveUp;
use crate::storage::transactions::Transactions;
use crate::storage::write_transaction::WriteTransaction;

/// Commits what `work` has done if it returns `Ok`, and rolls it back otherwise.
pub(crate) async fn write_transaction<C, T, E>(
    conn: &mut C,
    work: impl AsyncFnOnce(&mut C) -> Result<T, E>,
) -> Result<T, E>
where
    C: AsyncEventConnection + ?Sized,
    E: From<Error>,
{
    let mut open = Open::begin(conn).await?;
    match work(open.conn).await {
        Ok(value) => {
            open.commit().await?;
            Ok(value)
        }
        Err(error) => {
            open.roll_back().await;
            open.refuse_lost().await?;
            Err(error)
        }
    }
}

/// An open transaction. The connection is given up if it is dropped before it has ended.
struct Open<'c, C: AsyncEventConnection + ?Sized> {
    conn: &'c mut C,
    depth_around: u32,
    has_ended: bool,
}

impl<'c, C: AsyncEventConnection + ?Sized> Open<'c, C> {
    async fn begin(conn: &'c mut C) -> QueryResult<Self> {
        let depth_around = depth(conn).await?;
        let mut open = Self { conn, depth_around, has_ended: false };
        let begun = awaited!(open.conn, clone(), database => database.begin_writing());
        open.has_ended = begun.is_err();
        begun.map(|()| open)
    }

    /// That what is around has gone, too, matters more than why this has failed.
    async fn refuse_lost(&mut self) -> QueryResult<()> {
        if self.depth_around == 0 {
            return Ok(());
        }
        awaited!(self.conn, clone(), database => database.refuse_lost())
    }

    async fn commit(&mut self) -> QueryResult<()> {
        let committed: QueryResult<()> = awaited!(self.conn, clone(), database => database.commit_written());
        if committed.is_err() {
            self.roll_back().await;
        }
        self.has_ended = true;
        committed
    }

    async fn roll_back(&mut self) {
        self.conn.lend().roll_back_to(self.depth_around).await;
        self.has_ended = true;
    }
}

impl<C: AsyncEventConnection + ?Sized> Drop for Open<'_, C> {
    fn drop(&mut self) {
        if !self.has_ended {
            self.conn.lend().give_up();
        }
    }
}

pub(crate) async fn depth<C: AsyncEventConnection + ?Sized>(conn: &mut C) -> QueryResult<u32> {
    awaited!(conn, clone(), database => database.depth())
}

pub(crate) async fn refuse_ended<C: AsyncEventConnection + ?Sized>(conn: &mut C) -> QueryResult<()> {
    awaited!(conn, clone(), database => database.refuse_ended())
}
