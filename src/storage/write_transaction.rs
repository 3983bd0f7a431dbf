use diesel::result::{Error, QueryResult};

use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::operations::operations;

operations! {
    /// A transaction that is the application's own, and is going to write.
    pub(crate) trait WriteTransaction {
        /// Begins it, or opens a savepoint in the transaction that is open.
        fn begin_writing(&mut self) -> QueryResult<()>;

        /// Refuses to go on in a transaction that diesel believes in and the server has rolled back.
        fn refuse_lost(&mut self) -> QueryResult<()>;

        /// Commits it, or releases the savepoint. Refuses a transaction that the server has rolled back.
        fn commit_written(&mut self) -> QueryResult<()>;
    }
}

/// Commits what `work` has done if it returns `Ok`, and rolls it back otherwise, also if it panics.
pub(crate) fn write_transaction<C, T, E>(
    conn: &mut C,
    work: impl FnOnce(&mut C) -> Result<T, E>,
) -> Result<T, E>
where
    C: EventConnection + ?Sized,
    E: From<Error>,
{
    let depth_around = conn.database().depth()?;
    let outcome = all_or_nothing(conn, depth_around, work);
    if outcome.is_err() && depth_around > 0 {
        // That what is around has gone, too, matters more than why this has failed.
        conn.database().refuse_lost()?;
    }
    outcome
}

fn all_or_nothing<C, T, E>(
    conn: &mut C,
    depth_around: u32,
    work: impl FnOnce(&mut C) -> Result<T, E>,
) -> Result<T, E>
where
    C: EventConnection + ?Sized,
    E: From<Error>,
{
    let open = Open::begin(conn, depth_around)?;
    let value = work(open.conn)?;
    open.commit()?;
    Ok(value)
}

/// An open transaction, which is rolled back when it is dropped.
struct Open<'c, C: EventConnection + ?Sized> {
    conn: &'c mut C,
    depth_around: u32,
}

impl<'c, C: EventConnection + ?Sized> Open<'c, C> {
    fn begin(conn: &'c mut C, depth_around: u32) -> QueryResult<Self> {
        conn.database().begin_writing()?;
        let open = Self { conn, depth_around };
        if depth_around > 0 {
            open.conn.database().refuse_lost()?;
        }
        Ok(open)
    }

    fn commit(self) -> QueryResult<()> {
        self.conn.database().commit_written()?;
        std::mem::forget(self); // nothing is left to roll back
        Ok(())
    }
}

impl<C: EventConnection + ?Sized> Drop for Open<'_, C> {
    fn drop(&mut self) {
        self.conn.database().roll_back_to(self.depth_around);
    }
}
