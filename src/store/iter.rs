use std::vec;

use crate::model::event::RecordedEvent;
use crate::model::log::LogQuery;
use crate::model::stream::StreamQuery;
use crate::model::stream_id::StreamId;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::read::ReadError;
use crate::store::{read_log, read_stream};

/// How many events are read at once unless another number is asked for.
const PAGE_SIZE: usize = 500;

/// Reads events page by page as it is iterated over, so that it never holds more than one page in memory.
///
/// Between two pages it holds neither a lock nor a snapshot: a slow reader is in nobody's way, and an event that is
/// appended meanwhile is seen, in its place. It ends where the log or the stream ended when it came there, and after the
/// first error.
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

/// Reads at most so many events, and says whether they are the last.
type NextPage<'c> = dyn FnMut(usize) -> Result<Page, ReadError> + 'c;

struct Page {
    events: Vec<RecordedEvent>,
    is_last: bool,
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

    /// How many events to read at once, 1 or more, instead of 500. Fewer take less memory when payloads are large.
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

pub(crate) fn iter_log<'c, C>(conn: &'c mut C, mut query: LogQuery) -> EventIter<'c>
where
    C: EventConnection + ?Sized,
{
    EventIter::new(move |page_size| {
        let slice = read_log::read(conn.database(), &query, page_size)?;
        query.resume(slice.scanned_to());
        Ok(Page { is_last: slice.is_end(), events: slice.into_events() })
    })
}

pub(crate) fn iter_stream<'c, C>(conn: &'c mut C, stream: StreamId, mut query: StreamQuery) -> EventIter<'c>
where
    C: EventConnection + ?Sized,
{
    EventIter::new(move |page_size| {
        let page = query.page(page_size);
        let events = read_stream::read(conn.database(), &stream, &page)?.into_events();
        let is_last = !query.resume(&events, page_size);
        Ok(Page { events, is_last })
    })
}
