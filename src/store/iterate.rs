use std::vec;

use crate::model::event::RecordedEvent;
use crate::model::log::LogQuery;
use crate::model::page_size::PageSize;
use crate::model::stream::StreamQuery;
use crate::model::stream_id::StreamId;
use crate::storage::connection::EventConnection;
use crate::storage::read::ReadError;
use crate::store::EventStore;

/// The default of [`EventIter::page_size`].
pub(crate) const PAGE_SIZE: usize = 500;

/// Reads events page by page while it is iterated over, so that it never holds more than one page in memory.
///
/// Between two pages it holds neither a lock nor a snapshot: a slow reader blocks no writer, and it also
/// sees, in their place, the events that are appended while it reads. It ends when it reaches the end of the
/// log or the stream, and after the first error.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::{EventStore, ExpectedVersion, LogQuery, NewEvent, Position, StreamId};
///
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// # let (store, counter) = (EventStore::new(), StreamId::new("Counter", "c")?);
/// # let five = (1..=5).map(|n| NewEvent::new("Counted", &n)).collect::<Result<Vec<_>, _>>()?;
/// # store.append(&mut conn, &counter, ExpectedVersion::NoStream, &five)?;
/// let mut sum = 0;
/// for event in store.iter_log(&mut conn, LogQuery::after(Position::START)) {
///     sum += event?.payload::<i64>()?;
/// }
/// assert_eq!(sum, 15);
/// # Ok(())
/// # }
/// ```
pub struct EventIter<'c> {
    next_page: Box<NextPage<'c>>,
    page: vec::IntoIter<RecordedEvent>,
    page_size: usize,
    ended: bool,
}

/// Reads a page of at most this many events.
type NextPage<'c> = dyn FnMut(usize) -> Result<Page, ReadError> + 'c;

pub(crate) struct Page {
    pub(crate) events: Vec<RecordedEvent>,
    pub(crate) is_last: bool,
}

impl<'c> EventIter<'c> {
    fn new(next_page: impl FnMut(usize) -> Result<Page, ReadError> + 'c) -> Self {
        Self {
            next_page: Box::new(next_page),
            page: Vec::new().into_iter(),
            page_size: PAGE_SIZE,
            ended: false,
        }
    }

    /// The most events to read at once, 1 or more. Default: 500. Of the log, no more are read than hold
    /// [`max_bytes`](LogQuery::max_bytes).
    ///
    /// With 0, the first item is the error [`ReadError::Invalid`].
    ///
    /// ```
    /// # use diesel::prelude::*;
    /// # use diesel_event_store::*;
    /// # fn main() -> Result<(), diesel_event_store::Error> {
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # run_pending_migrations(&mut conn)?;
    /// let newest_first = LogQuery::before(Position::END);
    /// for event in EventStore::new().iter_log(&mut conn, newest_first).page_size(10) {
    ///     println!("{}", event?.event_type());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn page_size(mut self, events: usize) -> Self {
        self.page_size = events;
        self
    }
}

impl Iterator for EventIter<'_> {
    type Item = Result<RecordedEvent, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(event) = self.page.next() {
                return Some(Ok(event));
            }
            if self.ended {
                return None;
            }
            match (self.next_page)(self.page_size) {
                Ok(page) => {
                    self.ended = page.is_last;
                    self.page = page.events.into_iter();
                }
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
        }
    }
}

impl std::iter::FusedIterator for EventIter<'_> {}

impl std::fmt::Debug for EventIter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventIter").field("page_size", &self.page_size).finish_non_exhaustive()
    }
}

impl EventStore {
    /// The events of one stream as an iterator that holds one page of them in memory at a time.
    ///
    /// # Errors
    ///
    /// Those of [`read_stream`](Self::read_stream), as an item, which is then the last.
    ///
    /// ```
    /// # use diesel::prelude::*;
    /// # use diesel_event_store::*;
    /// # fn main() -> Result<(), diesel_event_store::Error> {
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # run_pending_migrations(&mut conn)?;
    /// # let (store, alice) = (EventStore::new(), StreamId::new("User", "alice")?);
    /// for event in store.iter_stream(&mut conn, &alice, ..) {
    ///     println!("{}", event?.event_type());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn iter_stream<'c, C: EventConnection + ?Sized>(
        &self,
        conn: &'c mut C,
        stream: &StreamId,
        query: impl Into<StreamQuery>,
    ) -> EventIter<'c> {
        let (store, stream, mut query) = (*self, stream.clone(), query.into());
        EventIter::new(move |page_size| {
            let page = query.page(page_size);
            let events = store.read_stream(conn, &stream, page)?.into_events();
            let is_last = !query.resume(&events, page_size);
            Ok(Page { events, is_last })
        })
    }

    /// Events of the whole log as an iterator that holds one page of them in memory at a time.
    ///
    /// # Errors
    ///
    /// Those of [`read_log`](Self::read_log), as an item, which is then the last.
    ///
    /// ```
    /// # use diesel::prelude::*;
    /// # use diesel_event_store::*;
    /// # fn main() -> Result<(), diesel_event_store::Error> {
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # run_pending_migrations(&mut conn)?;
    /// # let store = EventStore::new();
    /// for event in store.iter_log(&mut conn, LogQuery::after(Position::START)) {
    ///     println!("{}", event?.position());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn iter_log<'c, C: EventConnection + ?Sized>(
        &self,
        conn: &'c mut C,
        mut query: LogQuery,
    ) -> EventIter<'c> {
        let (store, mut page_size) = (*self, None);
        EventIter::new(move |largest| {
            let page_size = page_size.get_or_insert_with(|| PageSize::up_to(largest));
            let slice = store.read_log(conn, &query, page_size.next())?;
            page_size.learn(&slice, query.max_bytes);
            query.resume(slice.scanned_to());
            Ok(Page { is_last: slice.is_end(), events: slice.into_events() })
        })
    }
}
