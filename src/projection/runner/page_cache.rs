use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::gate::Gate;
use crate::model::log::LogQuery;
use crate::model::page_size::PageSize;
use crate::model::position::Position;
use crate::projection::definition::{LARGEST_PAGE, Projection};
use crate::projection::error::ProjectionError;
use crate::projection::kind::Kind;
use crate::projection::link::Link;
use crate::projection::page::Page;
use crate::store::read_log::read_log;
use crate::store::wake_up;

/// The log as a projection reads it, page by page. Partitions that are near each other share what one of them
/// has read, and that there was nothing to read: neither grows with their number.
pub(super) struct PageCache {
    query: LogQuery,
    partitions: i32,
    kept: usize,
    to_read: Gate,
    read: Mutex<Read>,
}

/// What was read, where the log ended when it was looked at last, and how much to read next.
struct Read {
    pages: VecDeque<Kept>,
    end: Option<End>,
    page_size: PageSize,
}

/// A page, and when it was begun to be read.
struct Kept {
    page: Arc<Page>,
    began: Instant,
}

impl Kept {
    fn answers(&self, ask: &Ask) -> bool {
        self.began >= ask.since && self.page.goes_on_after(ask.after)
    }
}

/// A look at the log that has found nothing after a position.
#[derive(Clone, Copy)]
pub(super) struct End {
    position: Position,
    wake_ups: u64,
    began: Instant,
    pub(super) looked_at: Instant,
}

impl End {
    /// Whether the member that asks need not look itself: this look came after its last one, and no wake-up
    /// has come since. Threads pause from the same look on, so that none of them learns later of an event
    /// than if it looked itself.
    fn answers(&self, ask: &Ask) -> bool {
        self.position <= ask.after
            && self.wake_ups == ask.wake_ups
            && ask.last.is_some_and(|last| self.began > last.began)
    }
}

/// What a member asks for that follows the log.
pub(super) struct Ask {
    pub(super) after: Position,
    /// When it learned that it is to go on there. What was read before may not be in the log any more: events
    /// are erased first, and then the projection is put back.
    pub(super) since: Instant,
    /// How many there had been before it asked.
    pub(super) wake_ups: u64,
    /// The last end of the log that it was told.
    pub(super) last: Option<End>,
}

impl Ask {
    pub(super) fn first(after: Position, since: Instant) -> Self {
        Self { after, since, wake_ups: wake_up::count(), last: None }
    }
}

pub(super) enum Found {
    /// What comes after the position, and perhaps some that comes before it.
    Page(Arc<Page>),
    End(End),
}

/// What is kept for the partitions that come later: so many pages of the largest size, and more if they are
/// smaller. Partitions begin one after the other, and what those that are first have read must last until the
/// last one needs it.
const LARGE_PAGES: usize = 4;
const SMALL_PAGES: usize = 16;

impl PageCache {
    pub(super) fn new<C, K: Kind>(projection: &Projection<C, K>, partitions: i32) -> Self {
        let (pages, page_size) = (VecDeque::new(), projection.page_size(partitions));
        let kept = (LARGE_PAGES * LARGEST_PAGE / page_size.largest()).clamp(LARGE_PAGES, SMALL_PAGES);
        Self {
            query: projection.query(Position::START),
            partitions,
            // A single partition never asks for the same page again, only for what was read ahead.
            kept: if partitions == 1 { 1 } else { kept },
            to_read: Gate::default(),
            read: Mutex::new(Read { pages, end: None, page_size }),
        }
    }

    /// One at a time reads; the others find what it has read, without waiting for what is being read.
    pub(super) async fn read<L: Link>(&self, conn: &mut L, ask: &Ask) -> Result<Found, ProjectionError> {
        if let Some(found) = self.find(ask) {
            return Ok(found);
        }
        let _inside = self.to_read.enter::<L>().await;
        if let Some(found) = self.find(ask) {
            return Ok(found);
        }
        let began = Instant::now();
        let mut query = self.query.clone();
        query.resume(ask.after);
        let page_size = self.known().page_size.next();
        let slice = read_log(&mut conn.database(), &query, page_size).await?;
        let mut known = self.known();
        known.page_size.learn(&slice, query.max_bytes);
        if slice.scanned_to() <= ask.after {
            return Ok(Found::End(known.note_end(ask, began)));
        }
        let page = Arc::new(Page::new(ask.after, slice, self.partitions));
        known.pages.push_front(Kept { page: Arc::clone(&page), began });
        known.forget_all_but(self.kept, LARGE_PAGES.saturating_mul(self.query.max_bytes));
        Ok(Found::Page(page))
    }

    /// What has been read.
    pub(super) fn find(&self, ask: &Ask) -> Option<Found> {
        self.known().find(ask)
    }

    /// Pages are kept whole, also by a member that panics.
    fn known(&self) -> MutexGuard<'_, Read> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Read {
    fn find(&self, ask: &Ask) -> Option<Found> {
        let kept = self.pages.iter().find(|kept| kept.answers(ask));
        let end = || self.end.filter(|end| end.answers(ask)).map(Found::End);
        kept.map(|kept| Found::Page(Arc::clone(&kept.page))).or_else(end)
    }

    /// The newest: so many, until they have so many bytes together.
    fn forget_all_but(&mut self, pages: usize, bytes: usize) {
        let mut newer = 0;
        let fits = |kept: &&Kept| {
            let fits = newer < bytes;
            newer += kept.page.bytes();
            fits
        };
        let kept = self.pages.iter().take(pages).take_while(fits).count();
        self.pages.truncate(kept);
    }

    fn note_end(&mut self, ask: &Ask, began: Instant) -> End {
        let end = End { position: ask.after, wake_ups: ask.wake_ups, began, looked_at: Instant::now() };
        *self.end.insert(end)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use super::{Ask, Found, Kept, Read};
    use crate::model::event::NewEvent;
    use crate::model::log::{LogQuery, LogSlice};
    use crate::model::page_size::PageSize;
    use crate::model::position::Position;
    use crate::model::stream_id::StreamId;
    use crate::projection::page::Page;

    /// With one event, whose payload has so many bytes.
    fn page(bytes: usize, began: Instant) -> Kept {
        let payload = "x".repeat(bytes - "\"\"".len());
        let stream = StreamId::new("Scan", 1).unwrap();
        let event = NewEvent::new("Scanned", &payload).unwrap().recorded(&stream, 1, Position::END).unwrap();
        let query = LogQuery::after(Position::START);
        let slice = LogSlice::new(&query, vec![event], 1, Position::END);
        Kept { page: Arc::new(Page::new(query.from, slice, 1)), began }
    }

    fn read(pages: VecDeque<Kept>) -> Read {
        Read { pages, end: None, page_size: PageSize::up_to(1) }
    }

    fn kept_of(bytes: [usize; 5], most_pages: usize, most_bytes: usize) -> Vec<usize> {
        let now = Instant::now();
        let mut read = read(bytes.into_iter().map(|bytes| page(bytes, now)).collect());
        read.forget_all_but(most_pages, most_bytes);
        read.pages.iter().map(|kept| kept.page.bytes()).collect()
    }

    #[test]
    fn who_begins_is_given_only_what_was_read_since() {
        let began = Instant::now();
        let read = read([page(10, began)].into());
        let found = |since| read.find(&Ask::first(Position::START, since));
        let moment = Duration::from_nanos(1);
        assert!(matches!(found(began - moment), Some(Found::Page(_))));
        assert!(matches!(found(began), Some(Found::Page(_))));
        assert!(found(began + moment).is_none());
    }

    #[test]
    fn the_newest_pages_are_kept_up_to_their_number() {
        assert_eq!(kept_of([10, 20, 30, 40, 50], 2, 1000), [10, 20]);
    }

    /// The page that reaches the number is the last.
    #[test]
    fn the_newest_pages_are_kept_up_to_their_bytes() {
        assert_eq!(kept_of([10, 20, 30, 40, 50], 5, 31), [10, 20, 30]);
        assert_eq!(kept_of([10, 20, 30, 40, 50], 5, 30), [10, 20]);
        assert_eq!(kept_of([100, 20, 30, 40, 50], 5, 1), [100]);
    }
}
