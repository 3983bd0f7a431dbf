use std::collections::VecDeque;

use diesel::result::QueryResult;

use crate::model::event::RecordedEvent;
use crate::model::leaf::Leaf;
use crate::model::log::LogQuery;
use crate::model::position::Position;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::read::ReadError;
use crate::store::EventStore;

/// Read at once.
const PAGE: usize = 500;

/// Looks up what is at positions that only grow, a page at a time.
pub(super) struct Walk<T> {
    page: VecDeque<T>,
    /// What lies up to here was read.
    read_to: Position,
}

impl<T> Default for Walk<T> {
    fn default() -> Self {
        Self { page: VecDeque::new(), read_to: Position::START }
    }
}

impl<T> Walk<T> {
    fn set(&mut self, page: Vec<T>, read_to: Position) {
        (self.page, self.read_to) = (page.into(), read_to);
    }

    fn take(&mut self, position: Position, of: impl Fn(&T) -> Position) -> Option<T> {
        while self.page.front().is_some_and(|next| of(next) < position) {
            self.page.pop_front();
        }
        let is_there = self.page.front().is_some_and(|next| of(next) == position);
        if is_there { self.page.pop_front() } else { None }
    }
}

impl Walk<RecordedEvent> {
    pub(super) fn event_at<C>(
        &mut self,
        conn: &mut C,
        position: Position,
    ) -> Result<Option<RecordedEvent>, ReadError>
    where
        C: EventConnection + ?Sized,
    {
        if position > self.read_to {
            let query = LogQuery::after(just_before(position)).without_archived();
            let slice = EventStore::new().read_log(conn, &query, PAGE)?;
            let read_to = slice.scanned_to().max(position);
            self.set(slice.into_events(), read_to);
        }
        Ok(self.take(position, RecordedEvent::position))
    }
}

impl Walk<Leaf> {
    pub(super) fn leaf_at<C>(&mut self, conn: &mut C, position: Position) -> QueryResult<Option<Leaf>>
    where
        C: EventConnection + ?Sized,
    {
        if position > self.read_to {
            let page = conn.database().leaves(just_before(position), Position::END, PAGE as i64)?;
            let is_cut = page.len() == PAGE;
            let read_to = page.last().filter(|_| is_cut).map_or(Position::END, |last| last.position);
            self.set(page, read_to);
        }
        Ok(self.take(position, |leaf| leaf.position))
    }
}

fn just_before(position: Position) -> Position {
    Position::stored(position.get() - 1)
}
