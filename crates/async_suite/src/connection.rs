use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use real::{AsyncConnectionRef, AsyncEventConnection};

use crate::block_on::Here;

/// Stands for the trait of that name.
pub trait EventConnection: Send {
    type Awaited: AsyncEventConnection;

    fn awaited(&mut self) -> &mut Self::Awaited;

    fn lend(&mut self) -> AsyncConnectionRef<'_> {
        self.awaited().lend()
    }
}

pub type Blocking<C> = AsyncConnectionWrapper<C, Here>;

impl<C: AsyncEventConnection> EventConnection for Blocking<C> {
    type Awaited = C;

    fn awaited(&mut self) -> &mut C {
        self
    }
}
