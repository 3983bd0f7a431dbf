use diesel_event_store::{AsyncEventConnection, AsyncEventStore, Position};

use crate::events::{cents, prepare};
use crate::payload::OrderPlaced;
use crate::tasks::AwaitedAppend;
use crate::workload::Append;

/// What an application on diesel-async does with this crate.
pub struct AwaitedStore<C> {
    conn: C,
    store: AsyncEventStore,
}

impl<C: AsyncEventConnection> AwaitedStore<C> {
    pub fn new(conn: C) -> Self {
        Self { conn, store: AsyncEventStore::new() }
    }

    pub async fn append(&mut self, append: &Append, payloads: &[OrderPlaced]) -> i64 {
        let (stream, expected, events) = prepare(append, payloads);
        let appended = self.store.append(&mut self.conn, &stream, expected, &events).await;
        appended.expect("the append").last_position().get()
    }

    /// A page of the log, its payloads parsed: the position to continue from, and the sum of the orders.
    pub async fn read_page(&mut self, after: i64, limit: usize) -> (i64, u64) {
        let after = Position::new(after).expect("a position");
        let slice = self.store.read_forward(&mut self.conn, after, limit).await.expect("the page");
        (slice.scanned_to().get(), cents(slice.events()))
    }
}

impl<C: AsyncEventConnection + 'static> AwaitedAppend for AwaitedStore<C> {
    async fn append(&mut self, append: &Append, payloads: &[OrderPlaced]) {
        Self::append(self, append, payloads).await;
    }
}
