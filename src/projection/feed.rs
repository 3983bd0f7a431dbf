use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::definition::Projection;
use super::error::ProjectionError;
use crate::model::log::{LogQuery, LogSlice};
use crate::model::position::Position;
use crate::storage::connection::EventConnection;
use crate::store::EventStore;

/// The log as a projection reads it, a page at a time. Partitions that are near each other share what one of them has read, so
/// reading does not grow with their number.
pub(super) struct Feed {
    query: LogQuery,
    page_size: usize,
    kept: usize,
    pages: Mutex<VecDeque<Arc<Page>>>,
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

/// How many pages are kept for those that come later.
const PAGES: usize = 4;

/// The most events of a page.
const LARGEST_PAGE: usize = 10_000;

/// The fewest, so that small batches do not have the log read in small pieces.
const SMALLEST_PAGE: usize = 500;

/// Pages for so many partitions hold about a batch for each.
pub(super) fn page_size<C>(projection: &Projection<C>, partitions: i32) -> usize {
    let partitions = usize::try_from(partitions).unwrap_or(1);
    let largest = LARGEST_PAGE.max(projection.batch_size);
    projection.batch_size.saturating_mul(partitions).clamp(SMALLEST_PAGE, largest)
}

impl Feed {
    pub(super) fn new<C>(projection: &Projection<C>, partitions: i32) -> Self {
        Self {
            query: projection.query(Position::START),
            page_size: page_size(projection, partitions),
            // One alone never asks for the same again, only for what was read ahead.
            kept: if partitions == 1 { 1 } else { PAGES },
            pages: Mutex::default(),
        }
    }

    /// What comes after a position, and perhaps some that comes before it. One at a time reads; the others find what it has
    /// read.
    pub(super) fn after<C>(&self, conn: &mut C, position: Position) -> Result<Arc<Page>, ProjectionError>
    where
        C: EventConnection,
    {
        // What is kept is kept whole, whoever panics.
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(page) = pages.iter().find(|page| page.goes_on_after(position)) {
            return Ok(Arc::clone(page));
        }
        let mut query = self.query.clone();
        query.resume(position);
        let slice = EventStore::new().read_log(conn, &query, self.page_size)?;
        let page = Arc::new(Page { after: position, slice });
        pages.push_front(Arc::clone(&page));
        pages.truncate(self.kept);
        Ok(page)
    }
}
