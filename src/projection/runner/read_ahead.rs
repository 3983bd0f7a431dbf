use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::context::Context;
use super::page_cache::{Ask, Found, PageCache};
use super::spawn::spawn;
use crate::model::position::Position;
use crate::projection::error::ProjectionError;
use crate::storage::connection::EventConnection;

/// Gives the pages of the log to the threads that apply them, and reads the next page meanwhile: on a thread
/// and a connection of its own, which exist only as long as there is much to catch up with.
pub(super) struct ReadAhead {
    cache: Arc<PageCache>,
    reader: Mutex<Option<Reader>>,
}

struct Reader {
    /// After which position it is to read.
    requests: SyncSender<Position>,
    thread: JoinHandle<()>,
}

/// How long the thread waits for a further request.
const PATIENCE: Duration = Duration::from_millis(500);

impl ReadAhead {
    pub(super) fn new(cache: PageCache) -> Self {
        Self { cache: Arc::new(cache), reader: Mutex::default() }
    }

    pub(super) fn read<C>(
        &self,
        context: &Arc<Context<C>>,
        conn: &mut C,
        ask: &Ask,
    ) -> Result<Found, ProjectionError>
    where
        C: EventConnection + 'static,
    {
        let found = self.cache.read(conn, ask)?;
        match &found {
            Found::Page(page) if !page.slice().is_end() => self.request(context, page.slice().scanned_to()),
            _ => {}
        }
        Ok(found)
    }

    /// If the reader is busy, or cannot be started, the thread that needs the page reads it.
    fn request<C: EventConnection + 'static>(&self, context: &Arc<Context<C>>, position: Position) {
        // It is replaced as a whole, so a panic elsewhere leaves it whole.
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = reader.as_ref().map(|reader| reader.requests.try_send(position));
        if let None | Some(Err(TrySendError::Disconnected(_))) = sent {
            match self.start(context, position) {
                Ok(started) => *reader = Some(started),
                Err(error) => context.has_failed(error),
            }
        }
    }

    fn start<C: EventConnection + 'static>(
        &self,
        context: &Arc<Context<C>>,
        first: Position,
    ) -> Result<Reader, ProjectionError> {
        let (requests, received) = mpsc::sync_channel(1);
        let (context, cache) = (Arc::clone(context), Arc::clone(&self.cache));
        let thread = spawn("projection reader", move || read(&context, &cache, first, &received))?;
        Ok(Reader { requests, thread })
    }
}

/// The reader's connection is given back before the runner's stop returns.
impl Drop for ReadAhead {
    fn drop(&mut self) {
        let reader = self.reader.get_mut().unwrap_or_else(PoisonError::into_inner);
        let Some(Reader { requests, thread }) = reader.take() else { return };
        drop(requests);
        // If it has panicked, the threads that apply have read for themselves.
        let _ = thread.join();
    }
}

/// What goes wrong here goes wrong for the threads that apply, too, and they report it.
fn read<C: EventConnection>(
    context: &Context<C>,
    cache: &PageCache,
    first: Position,
    requests: &Receiver<Position>,
) {
    let Ok(mut conn) = context.connect() else { return };
    let mut next = Ok(first);
    while let Ok(position) = next {
        if cache.read(&mut conn, &Ask::first(position)).is_err() {
            return;
        }
        next = requests.recv_timeout(PATIENCE);
    }
}
