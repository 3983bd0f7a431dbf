use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::{fmt, vec};

use futures_core::Stream;
use futures_core::stream::FusedStream;

use crate::model::event::RecordedEvent;
use crate::model::log::LogQuery;
use crate::model::page_size::PageSize;
use crate::model::stream::StreamQuery;
use crate::model::stream_id::StreamId;
use crate::storage::asynchronous::connection::AsyncEventConnection;
use crate::storage::read::ReadError;
use crate::store::asynchronous::AsyncEventStore;
use crate::store::iterate::{PAGE_SIZE, Page};

/// Reads events page by page as they are asked for: an [`EventIter`](crate::EventIter) as a `Stream`. It
/// never holds more than one page in memory.
///
/// Between two pages it holds neither a lock nor a snapshot: a slow reader blocks no writer, and it also
/// sees, in their place, the events that are appended while it reads. It ends when it reaches the end of the
/// log or the stream, and after the first error. The page that is being read when it is dropped is lost, no
/// more.
///
/// ```
/// use futures_util::TryStreamExt;
/// # use diesel_event_store::*;
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use diesel_async::{AsyncConnection, sync_connection_wrapper::SyncConnectionWrapper};
/// # let mut conn = SyncConnectionWrapper::<diesel::SqliteConnection>::establish(":memory:").await?;
/// # async_run_pending_migrations(&mut conn).await?;
/// # let (store, counter) = (AsyncEventStore::new(), StreamId::new("Counter", "c")?);
/// # let five = (1..=5).map(|n| NewEvent::new("Counted", &n)).collect::<Result<Vec<_>, _>>()?;
/// # store.append(&mut conn, &counter, ExpectedVersion::NoStream, &five).await?;
/// let mut sum = 0;
/// let mut events = store.iter_log(&mut conn, LogQuery::after(Position::START));
/// while let Some(event) = events.try_next().await? {
///     sum += event.payload::<i64>()?;
/// }
/// assert_eq!(sum, 15);
/// # Ok(())
/// # }
/// ```
#[must_use = "a stream reads nothing until it is polled"]
pub struct EventStream<'c, C: ?Sized> {
    state: State<'c, C>,
    page: vec::IntoIter<RecordedEvent>,
    page_size: usize,
}

enum State<'c, C: ?Sized> {
    Idle(&'c mut C, Pages),
    Reading(Reading<'c, C>),
    Ended,
}

/// Reads a page, and hands back what it has borrowed.
type Reading<'c, C> = Pin<Box<dyn Future<Output = (&'c mut C, Pages, Result<Page, ReadError>)> + Send + 'c>>;

/// What is read, and how far it has been read.
enum Pages {
    OfStream { store: AsyncEventStore, stream: StreamId, rest: StreamQuery },
    OfLog { store: AsyncEventStore, rest: LogQuery, page_size: Option<PageSize> },
}

impl Pages {
    async fn next<C>(&mut self, conn: &mut C, largest: usize) -> Result<Page, ReadError>
    where
        C: AsyncEventConnection + ?Sized,
    {
        match self {
            Self::OfStream { store, stream, rest } => {
                let events = store.read_stream(conn, stream, rest.page(largest)).await?.into_events();
                let is_last = !rest.resume(&events, largest);
                Ok(Page { events, is_last })
            }
            Self::OfLog { store, rest, page_size } => {
                let page_size = page_size.get_or_insert_with(|| PageSize::up_to(largest));
                let slice = store.read_log(conn, rest, page_size.next()).await?;
                page_size.learn(&slice, rest.max_bytes);
                rest.resume(slice.scanned_to());
                Ok(Page { is_last: slice.is_end(), events: slice.into_events() })
            }
        }
    }
}

impl<'c, C: AsyncEventConnection + ?Sized> EventStream<'c, C> {
    fn new(conn: &'c mut C, pages: Pages) -> Self {
        Self { state: State::Idle(conn, pages), page: Vec::new().into_iter(), page_size: PAGE_SIZE }
    }

    /// The most events to read at once, 1 or more. Default: 500. Of the log, no more are read than hold
    /// [`max_bytes`](LogQuery::max_bytes). Set it before the first event is read.
    ///
    /// With 0, the first item is the error [`ReadError::Invalid`].
    ///
    /// ```
    /// use futures_util::TryStreamExt;
    /// # use diesel_event_store::*;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use diesel_async::{AsyncConnection, sync_connection_wrapper::SyncConnectionWrapper};
    /// # let mut conn = SyncConnectionWrapper::<diesel::SqliteConnection>::establish(":memory:").await?;
    /// # async_run_pending_migrations(&mut conn).await?;
    /// let newest_first = LogQuery::before(Position::END);
    /// let mut events = AsyncEventStore::new().iter_log(&mut conn, newest_first).page_size(10);
    /// while let Some(event) = events.try_next().await? {
    ///     println!("{}", event.event_type());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn page_size(mut self, events: usize) -> Self {
        self.page_size = events;
        self
    }

    /// Goes on reading, and waits for the next page.
    fn poll_page(&mut self, context: &mut Context<'_>) -> Poll<Result<(), ReadError>> {
        let mut reading = match std::mem::replace(&mut self.state, State::Ended) {
            State::Idle(conn, pages) => read(conn, pages, self.page_size),
            State::Reading(reading) => reading,
            State::Ended => return Poll::Ready(Ok(())),
        };
        let Poll::Ready((conn, pages, page)) = reading.as_mut().poll(context) else {
            self.state = State::Reading(reading);
            return Poll::Pending;
        };
        let page = page?;
        if !page.is_last {
            self.state = State::Idle(conn, pages);
        }
        self.page = page.events.into_iter();
        Poll::Ready(Ok(()))
    }

    fn has_ended(&self) -> bool {
        matches!(self.state, State::Ended) && self.page.len() == 0
    }
}

fn read<'c, C>(conn: &'c mut C, mut pages: Pages, largest: usize) -> Reading<'c, C>
where
    C: AsyncEventConnection + ?Sized,
{
    Box::pin(async move {
        let page = pages.next(conn, largest).await;
        (conn, pages, page)
    })
}

impl<C: AsyncEventConnection + ?Sized> Stream for EventStream<'_, C> {
    type Item = Result<RecordedEvent, ReadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(event) = this.page.next() {
                return Poll::Ready(Some(Ok(event)));
            }
            if this.has_ended() {
                return Poll::Ready(None);
            }
            if let Err(error) = ready!(this.poll_page(context)) {
                return Poll::Ready(Some(Err(error)));
            }
        }
    }
}

impl<C: AsyncEventConnection + ?Sized> FusedStream for EventStream<'_, C> {
    fn is_terminated(&self) -> bool {
        self.has_ended()
    }
}

impl<C: ?Sized> fmt::Debug for EventStream<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream").field("page_size", &self.page_size).finish_non_exhaustive()
    }
}

impl AsyncEventStore {
    /// The events of one stream as a `Stream` that holds one page of them in memory at a time.
    ///
    /// # Errors
    ///
    /// Those of [`read_stream`](Self::read_stream), as an item, which is then the last.
    ///
    /// ```
    /// use futures_util::TryStreamExt;
    /// # use diesel_event_store::*;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use diesel_async::{AsyncConnection, sync_connection_wrapper::SyncConnectionWrapper};
    /// # let mut conn = SyncConnectionWrapper::<diesel::SqliteConnection>::establish(":memory:").await?;
    /// # async_run_pending_migrations(&mut conn).await?;
    /// # let (store, alice) = (AsyncEventStore::new(), StreamId::new("User", "alice")?);
    /// let events: Vec<_> = store.iter_stream(&mut conn, &alice, ..).try_collect().await?;
    /// assert!(events.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn iter_stream<'c, C: AsyncEventConnection + ?Sized>(
        &self,
        conn: &'c mut C,
        stream: &StreamId,
        query: impl Into<StreamQuery>,
    ) -> EventStream<'c, C> {
        let pages = Pages::OfStream { store: *self, stream: stream.clone(), rest: query.into() };
        EventStream::new(conn, pages)
    }

    /// Events of the whole log as a `Stream` that holds one page of them in memory at a time.
    ///
    /// # Errors
    ///
    /// Those of [`read_log`](Self::read_log), as an item, which is then the last.
    ///
    /// ```
    /// use futures_util::TryStreamExt;
    /// # use diesel_event_store::*;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use diesel_async::{AsyncConnection, sync_connection_wrapper::SyncConnectionWrapper};
    /// # let mut conn = SyncConnectionWrapper::<diesel::SqliteConnection>::establish(":memory:").await?;
    /// # async_run_pending_migrations(&mut conn).await?;
    /// # let store = AsyncEventStore::new();
    /// let log = LogQuery::after(Position::START);
    /// let events: Vec<_> = store.iter_log(&mut conn, log).try_collect().await?;
    /// assert!(events.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn iter_log<'c, C: AsyncEventConnection + ?Sized>(
        &self,
        conn: &'c mut C,
        query: LogQuery,
    ) -> EventStream<'c, C> {
        EventStream::new(conn, Pages::OfLog { store: *self, rest: query, page_size: None })
    }
}
