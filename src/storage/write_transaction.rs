use diesel::result::{Error, QueryResult};

use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::operations::operations;

operations! {
    /// A transaction that is the application's own, and is going to write.
    pub(crate) trait WriteTransaction {
        /// Begins it, or opens a savepoint in the transaction that is open. Refuses one that diesel believes in
        /// and that has ended.
        fn begin_writing(&mut self) -> QueryResult<()>;

        /// After an error: refuses to go on in a transaction that diesel believes in and the server has rolled
        /// back.
        fn refuse_lost(&mut self) -> QueryResult<()>;

        /// After an error with which the work would be run again: refuses that, if the work has ended the
        /// transaction, and what it has committed would be there twice.
        fn refuse_ended(&mut self) -> QueryResult<()>;

        /// Commits it, or releases the savepoint. Refuses a transaction that has ended before.
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
    let open = Open::begin(conn)?;
    match work(open.conn) {
        Ok(value) => {
            open.commit()?;
            Ok(value)
        }
        Err(error) => {
            open.roll_back()?;
            Err(error)
        }
    }
}

/// An open transaction, which is rolled back when it is dropped.
struct Open<'c, C: EventConnection + ?Sized> {
    conn: &'c mut C,
    depth_around: u32,
}

impl<'c, C: EventConnection + ?Sized> Open<'c, C> {
    fn begin(conn: &'c mut C) -> QueryResult<Self> {
        let depth_around = conn.database().depth()?;
        conn.database().begin_writing()?;
        Ok(Self { conn, depth_around })
    }

    fn commit(self) -> QueryResult<()> {
        self.conn.database().commit_written()?;
        std::mem::forget(self); // nothing is left to roll back
        Ok(())
    }

    /// That what is around has gone, too, matters more than why this has failed.
    fn roll_back(self) -> QueryResult<()> {
        let depth_around = self.depth_around;
        self.conn.database().roll_back_to(depth_around);
        if depth_around == 0 { Ok(()) } else { self.conn.database().refuse_lost() }
    }
}

impl<C: EventConnection + ?Sized> Drop for Open<'_, C> {
    fn drop(&mut self) {
        self.conn.database().roll_back_to(self.depth_around);
    }
}
