use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::context::Context;
use super::crew::Crew;
use super::page_cache::{Ask, Found, PageCache};
use super::spawn::spawn;
use crate::model::position::Position;
use crate::projection::error::ProjectionError;
use crate::storage::now::now;

/// A crew of which one may read the next page of the log while the others apply.
pub(in crate::projection) trait ReadsAhead: Crew {
    /// There is a next page, after this place.
    fn read_ahead(log: &ReadAhead, context: &Arc<Context<Self>>, next: Next);
}

/// Gives the pages of the log to the crew, and reads the next page meanwhile, if the crew can: on a thread and a
/// connection of its own, which exist only as long as there is much to catch up with.
pub(in crate::projection) struct ReadAhead {
    cache: Arc<PageCache>,
    reader: Mutex<Option<Reader>>,
}

/// Where the next page is, for a member of the crew that wants nothing that was read before it began.
#[derive(Clone, Copy)]
pub(in crate::projection) struct Next {
    after: Position,
    since: Instant,
}

struct Reader {
    requests: SyncSender<Next>,
    thread: JoinHandle<()>,
}

/// How long the thread waits for a further request.
const PATIENCE: Duration = Duration::from_millis(500);

impl ReadAhead {
    pub(super) fn new(cache: PageCache) -> Self {
        Self { cache: Arc::new(cache), reader: Mutex::default() }
    }

    /// Whether there is a page already, so that nobody has to read the log for it.
    pub(super) fn has_page(&self, ask: &Ask) -> bool {
        matches!(self.cache.find(ask), Some(Found::Page(_)))
    }

    pub(super) async fn read<W: ReadsAhead>(
        &self,
        context: &Arc<Context<W>>,
        conn: &mut W::Link,
        ask: &Ask,
    ) -> Result<Found, ProjectionError> {
        let found = self.cache.read(conn, ask).await?;
        match &found {
            Found::Page(page) if !page.is_end() => {
                W::read_ahead(self, context, Next { after: page.scanned_to(), since: ask.since });
            }
            _ => {}
        }
        Ok(found)
    }

    /// If the reader is busy, or cannot be started, the thread that needs the page reads it.
    pub(super) fn request<W: Crew>(&self, context: &Arc<Context<W>>, next: Next) {
        // It is replaced as a whole, so a panic elsewhere leaves it whole.
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = reader.as_ref().map(|reader| reader.requests.try_send(next));
        if let None | Some(Err(TrySendError::Disconnected(_))) = sent {
            match self.start(context, next) {
                Ok(started) => *reader = Some(started),
                Err(error) => context.record_failure(error),
            }
        }
    }

    fn start<W: Crew>(&self, context: &Arc<Context<W>>, first: Next) -> Result<Reader, ProjectionError> {
        let (requests, received) = mpsc::sync_channel(1);
        let (context, cache) = (Arc::clone(context), Arc::clone(&self.cache));
        let thread = spawn("projection reader", move || now(read(&context, &cache, first, &received)))?;
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
async fn read<W: Crew>(context: &Context<W>, cache: &PageCache, first: Next, requests: &Receiver<Next>) {
    let Ok(mut conn) = context.connect().await else { return };
    let mut next = Ok(first);
    while let Ok(Next { after, since }) = next {
        if cache.read(&mut conn, &Ask::first(after, since)).await.is_err() {
            return;
        }
        next = requests.recv_timeout(PATIENCE);
    }
}
