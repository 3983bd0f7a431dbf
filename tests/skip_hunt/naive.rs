use diesel_event_store::EventConnection;

use super::entry::{Entry, naive_page};
use super::follower::Follower;
use crate::support;

/// The negative control: it follows the log as most event stores do, by the highest position it has seen.
pub struct Naive<C> {
    conn: C,
    last: i64,
    seen: usize,
}

impl<C> Naive<C> {
    pub fn new(conn: C) -> Self {
        Self { conn, last: 0, seen: 0 }
    }
}

impl<C: EventConnection + Send> Follower for Naive<C> {
    fn read(&mut self) -> support::Result<usize> {
        let positions = naive_page(&mut self.conn, self.last, 100)?;
        self.seen += positions.len();
        self.last = positions.last().copied().unwrap_or(self.last);
        Ok(positions.len())
    }

    fn scanned_to(&self) -> i64 {
        self.last
    }

    fn missed(&mut self, committed: &[Entry]) -> usize {
        committed.len() - std::mem::take(&mut self.seen)
    }
}
