use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::error::ProjectionError;
use super::feed::{Feed, Page};
use super::runner::{Shop, spawn};
use crate::model::position::Position;
use crate::storage::connection::EventConnection;

/// Gives workers the pages of a feed, and reads the next one while they apply this one: on a thread and a connection of its
/// own, which are there only as long as there is much to catch up with.
pub(super) struct Scout {
    feed: Arc<Feed>,
    errand: Mutex<Option<Errand>>,
}

struct Errand {
    orders: SyncSender<Position>,
    thread: JoinHandle<()>,
}

/// How long the thread waits for a further order.
const PATIENCE: Duration = Duration::from_millis(500);

impl Scout {
    pub(super) fn new(feed: Feed) -> Self {
        Self { feed: Arc::new(feed), errand: Mutex::default() }
    }

    /// What comes after a position, and perhaps some that comes before it.
    pub(super) fn page_after<C>(
        &self,
        shop: &Arc<Shop<C>>,
        conn: &mut C,
        position: Position,
    ) -> Result<Arc<Page>, ProjectionError>
    where
        C: EventConnection + 'static,
    {
        let page = self.feed.after(conn, position)?;
        if !page.slice().is_end() {
            self.send_ahead(shop, page.slice().scanned_to());
        }
        Ok(page)
    }

    /// If it is busy already, whoever needs the page reads it.
    fn send_ahead<C: EventConnection + 'static>(&self, shop: &Arc<Shop<C>>, position: Position) {
        // It is replaced as a whole, whoever panics.
        let mut errand = self.errand.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = errand.as_ref().map(|errand| errand.orders.try_send(position));
        if let None | Some(Err(TrySendError::Disconnected(_))) = sent {
            *errand = Some(self.set_out(shop, position));
        }
    }

    fn set_out<C: EventConnection + 'static>(&self, shop: &Arc<Shop<C>>, position: Position) -> Errand {
        let (orders, received) = mpsc::sync_channel(1);
        let (shop, feed) = (Arc::clone(shop), Arc::clone(&self.feed));
        let thread = spawn("projection scout", move || read_ahead(&shop, &feed, position, &received));
        Errand { orders, thread }
    }
}

/// Its connection is given back before anybody hears of the end.
impl Drop for Scout {
    fn drop(&mut self) {
        let errand = self.errand.get_mut().unwrap_or_else(PoisonError::into_inner);
        let Some(Errand { orders, thread }) = errand.take() else { return };
        drop(orders);
        // Whatever it has panicked about, the workers have read for themselves.
        let _ = thread.join();
    }
}

/// What goes wrong here goes wrong for the workers, too, and they report it.
fn read_ahead<C: EventConnection>(shop: &Shop<C>, feed: &Feed, first: Position, orders: &Receiver<Position>) {
    let Ok(mut conn) = (shop.runner.connect)() else { return };
    let mut next = Ok(first);
    while let Ok(position) = next {
        if feed.after(&mut conn, position).is_err() {
            return;
        }
        next = orders.recv_timeout(PATIENCE);
    }
}
