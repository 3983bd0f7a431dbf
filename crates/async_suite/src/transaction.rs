use real::{AsyncConnectionRef, AsyncEventConnection, async_write_transaction};

use crate::block_on::block_on;
use crate::connection::EventConnection;

pub fn write_transaction<C, T, E>(conn: &mut C, work: impl FnOnce(&mut C) -> Result<T, E>) -> Result<T, E>
where
    C: EventConnection,
    E: From<diesel::result::Error>,
{
    block_on(async_write_transaction(&mut Lender(conn), async |lender| work(lender.0)))
}

/// Lends the connection within, and gives it back whole.
pub struct Lender<'c, C>(pub &'c mut C);

impl<C: EventConnection> AsyncEventConnection for Lender<'_, C> {
    fn lend(&mut self) -> AsyncConnectionRef<'_> {
        self.0.awaited().lend()
    }
}
