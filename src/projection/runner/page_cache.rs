use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::log::{LogQuery, LogSlice};
use crate::model::page_size::PageSize;
use crate::model::position::Position;
use crate::projection::definition::Projection;
use crate::projection::error::ProjectionError;
use crate::storage::connection::EventConnection;
use crate::store::EventStore;

/// The log as a projection reads it, page by page. Partitions that are near each other share what one of them
/// has read, so reading does not grow with their number.
pub(super) struct PageCache {
    query: LogQuery,
    kept: usize,
    read: Mutex<Read>,
}

/// What was read, and how much to read next.
struct Read {
    pages: VecDeque<Arc<Page>>,
    page_size: PageSize,
}

pub(super) struct Page {
    after: Position,
    slice: LogSlice,
}

impl Page {
    pub(super) fn slice(&self) -> &LogSlice {
        &self.slice
    }

    fn goes_on_after(&self, position: Position) -> bool {
        self.after <= position && position < self.slice.scanned_to()
    }
}

/// How many pages are kept for the partitions that come later.
const PAGES: usize = 4;

impl PageCache {
    pub(super) fn new<C>(projection: &Projection<C>, partitions: i32) -> Self {
        Self {
            query: projection.query(Position::START),
            // A single partition never asks for the same page again, only for what was read ahead.
            kept: if partitions == 1 { 1 } else { PAGES },
            read: Mutex::new(Read { pages: VecDeque::new(), page_size: projection.page_size(partitions) }),
        }
    }

    /// What comes after a position, and perhaps some that comes before it. One thread at a time reads; the
    /// others find what it has read.
    pub(super) fn after<C: EventConnection>(
        &self,
        conn: &mut C,
        position: Position,
    ) -> Result<Arc<Page>, ProjectionError> {
        // Pages are kept whole, also by a thread that panics.
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let Read { pages, page_size } = &mut *read;
        if let Some(page) = pages.iter().find(|page| page.goes_on_after(position)) {
            return Ok(Arc::clone(page));
        }
        let mut query = self.query.clone();
        query.resume(position);
        let slice = EventStore::new().read_log(conn, &query, page_size.next())?;
        page_size.learn(&slice, query.max_bytes);
        let page = Arc::new(Page { after: position, slice });
        pages.push_front(Arc::clone(&page));
        pages.truncate(self.kept);
        Ok(page)
    }
}
