//! The connections of pools, whoever manages them.

use crate::storage::asynchronous::connection::{AsyncConnectionRef, AsyncEventConnection};

#[cfg(feature = "bb8")]
impl<M> AsyncEventConnection for bb8::PooledConnection<'_, M>
where
    M: bb8::ManageConnection,
    M::Connection: AsyncEventConnection,
{
    fn lend(&mut self) -> AsyncConnectionRef<'_> {
        (**self).lend()
    }
}

#[cfg(feature = "deadpool")]
impl<M> AsyncEventConnection for deadpool::managed::Object<M>
where
    M: deadpool::managed::Manager,
    M::Type: AsyncEventConnection,
{
    fn lend(&mut self) -> AsyncConnectionRef<'_> {
        (**self).lend()
    }
}

#[cfg(feature = "mobc")]
impl<M> AsyncEventConnection for mobc::Connection<M>
where
    M: mobc::Manager,
    M::Connection: AsyncEventConnection,
{
    fn lend(&mut self) -> AsyncConnectionRef<'_> {
        (**self).lend()
    }
}
