use std::borrow::Borrow;
use std::iter;

use super::helpers::beside;
use crate::line::chain::{LineHash, hash_of_event, hash_of_leaf};
use crate::model::event::RecordedEvent;
use crate::model::leaf::Leaf;
use crate::model::log::LogQuery;
use crate::model::page_size::PageSize;
use crate::model::position::Position;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::read::ReadError;
use crate::store::EventStore;

/// Read at once.
const EVENTS: usize = 1_000;
const LEAVES: i64 = 1_000;

/// What a log has at a position.
pub(crate) enum Link<E = RecordedEvent, L = Leaf> {
    Event(E),
    /// An event was there, and has been archived.
    Gone(L),
}

pub(crate) type LinkRef<'p> = Link<&'p RecordedEvent, &'p Leaf>;

impl<E: Borrow<RecordedEvent>, L: Borrow<Leaf>> Link<E, L> {
    pub(crate) fn position(&self) -> Position {
        match self {
            Self::Event(event) => event.borrow().position,
            Self::Gone(leaf) => leaf.borrow().position,
        }
    }

    /// What it adds to the chain. `line` is room that is used again.
    pub(crate) fn hash(&self, line: &mut Vec<u8>) -> LineHash {
        match self {
            Self::Event(event) => hash_of_event(line, event.borrow()),
            Self::Gone(leaf) => hash_of_leaf(leaf.borrow()),
        }
    }
}

/// Everything that the log has between two positions.
pub(crate) struct Page {
    events: Vec<RecordedEvent>,
    /// Of events that have been archived, or are being archived and are there, too.
    leaves: Vec<Leaf>,
}

impl Page {
    pub(crate) fn iter(&self) -> impl Iterator<Item = LinkRef<'_>> {
        in_order(&self.events, &self.leaves)
    }

    pub(crate) fn into_links(self) -> impl Iterator<Item = Link> {
        in_order(self.events, self.leaves)
    }
}

/// The event counts where there are both.
fn in_order<E, L>(
    events: impl IntoIterator<Item = E>,
    leaves: impl IntoIterator<Item = L>,
) -> impl Iterator<Item = Link<E, L>>
where
    E: Borrow<RecordedEvent>,
    L: Borrow<Leaf>,
{
    let (mut events, mut leaves) = (events.into_iter().peekable(), leaves.into_iter().peekable());
    iter::from_fn(move || {
        let next = events.peek().map_or(Position::END, |event| event.borrow().position);
        if let Some(leaf) = leaves.next_if(|leaf| leaf.borrow().position < next) {
            return Some(Link::Gone(leaf));
        }
        leaves.next_if(|leaf| leaf.borrow().position == next);
        events.next().map(Link::Event)
    })
}

/// Everything that the log has after a position and up to another, in its order, with what it adds to the
/// chain.
pub(crate) fn each_hashed<C, E>(
    conn: &mut C,
    after: Position,
    up_to: Position,
    mut visit: impl FnMut(Link, LineHash) -> Result<(), E>,
) -> Result<(), E>
where
    C: EventConnection + ?Sized,
    E: From<ReadError>,
{
    let mut line = Vec::new();
    let hash = |page: &Page| page.iter().map(|link| link.hash(&mut line)).collect::<Vec<_>>();
    each_page(conn, (after, up_to), hash, |hashes, page| {
        page.into_links().zip(hashes).try_for_each(|(link, hash)| visit(link, hash))
    })
}

/// Everything that the log has after a position and up to another, in its order, a page at a time. A second
/// thread makes something of each page while the next one is read, and `visit` is given both: memory is freed
/// by the thread that has asked for it, because the other one would keep it from asking for more. In memory are
/// three pages.
pub(crate) fn each_page<C, T, E>(
    conn: &mut C,
    (after, up_to): (Position, Position),
    mut work: impl FnMut(&Page) -> T + Send,
    mut visit: impl FnMut(T, Page) -> Result<(), E>,
) -> Result<(), E>
where
    C: EventConnection + ?Sized,
    T: Send,
    E: From<ReadError>,
{
    let work = |page: Page| (work(&page), page);
    let mut visit = |(made, page)| visit(made, page);
    beside(vec![work], 1, |helper| {
        read_pages(conn, (after, up_to), |page| helper.give(page).map_or(Ok(()), &mut visit))?;
        helper.take().map_or(Ok(()), visit)
    })
}

fn read_pages<C, E>(
    conn: &mut C,
    (after, up_to): (Position, Position),
    mut visit: impl FnMut(Page) -> Result<(), E>,
) -> Result<(), E>
where
    C: EventConnection + ?Sized,
    E: From<ReadError>,
{
    let (mut query, mut page_size) = (LogQuery::after(after).without_archived(), PageSize::up_to(EVENTS));
    loop {
        let slice = EventStore::new().read_log(conn, &query, page_size.next())?;
        page_size.learn(&slice, query.max_bytes);
        let (from, to, is_end) = (query.from, slice.scanned_to().min(up_to), slice.is_end());
        let visited_to = with_leaves(conn, (from, to), slice.into_events(), &mut visit)?;
        query.resume(visited_to);
        if visited_to == to && (is_end || to == up_to) {
            return Ok(());
        }
    }
}

/// What is left of events is read after the events, so what is archived in between was among these. What is
/// restored in between is in neither, but then more events are counted than were read. Returns up to where
/// nothing was missing.
fn with_leaves<C, E>(
    conn: &mut C,
    (mut from, to): (Position, Position),
    mut events: Vec<RecordedEvent>,
    visit: &mut impl FnMut(Page) -> Result<(), E>,
) -> Result<Position, E>
where
    C: EventConnection + ?Sized,
    E: From<ReadError>,
{
    events.truncate(events.partition_point(|event| event.position <= to));
    // Where every position has its event, nothing can be missing.
    if events.len() as i64 == to.get() - from.get() {
        visit(Page { events, leaves: Vec::new() })?;
        return Ok(to);
    }
    loop {
        let leaves = conn.database().leaves(from, to, LEAVES).map_err(ReadError::from)?;
        let next = leaves.last().filter(|_| leaves.len() as i64 == LEAVES).map_or(to, |last| last.position);
        let later = events.split_off(events.partition_point(|event| event.position <= next));
        let there = conn.database().events_between(from, next).map_err(ReadError::from)?;
        if there > events.len() as i64 {
            return Ok(from);
        }
        visit(Page { events, leaves })?;
        if next == to {
            return Ok(to);
        }
        (from, events) = (next, later);
    }
}
