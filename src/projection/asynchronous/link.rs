use std::borrow::BorrowMut;
use std::marker::PhantomData;
use std::time::Duration;

use crate::model::event::RecordedEvent;
use crate::projection::handler::HandlerError;
use crate::projection::kind::{Awaits, Kind};
use crate::projection::link::{Lends, Link};
use crate::storage::asynchronous::connection::{AsyncConnectionRef, AsyncEventConnection};
use crate::storage::bell::Bell;
use crate::storage::give_up::GiveUp;

/// A connection that is awaited, or a reference to it.
pub(in crate::projection) struct Awaited<C, R = C> {
    conn: R,
    lends: PhantomData<C>,
}

impl<C, R: BorrowMut<C>> Awaited<C, R> {
    pub(in crate::projection) fn new(conn: R) -> Self {
        Self { conn, lends: PhantomData }
    }
}

impl Lends for Awaits {
    type Database<'d> = AsyncConnectionRef<'d>;
}

impl<C: AsyncEventConnection, R: BorrowMut<C>> Link for Awaited<C, R> {
    type Conn = C;
    type Kind = Awaits;

    fn database(&mut self) -> AsyncConnectionRef<'_> {
        self.conn.borrow_mut().lend()
    }

    fn conn(&mut self) -> &mut C {
        self.conn.borrow_mut()
    }

    /// Nothing can be awaited here. When the connection is closed, the database rolls back.
    fn abandon(&mut self, _depth: u32) {
        self.database().give_up();
    }

    async fn handle(
        &mut self,
        handler: &<Awaits as Kind>::Handler<C>,
        events: &[RecordedEvent],
    ) -> Result<(), HandlerError> {
        handler.handle(self.conn(), events).await
    }

    async fn wait(bell: &Bell, seen: u64, longest: Duration) -> bool {
        bell.heard(seen, longest).await
    }
}
