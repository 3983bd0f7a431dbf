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
const EVENTS: usize = 500;
const LEAVES: i64 = 1_000;

/// What a log has at a position.
pub(crate) enum Link {
    Event(RecordedEvent),
    /// An event was there, and has been archived.
    Gone(Leaf),
}

impl Link {
    pub(crate) fn position(&self) -> Position {
        match self {
            Self::Event(event) => event.position,
            Self::Gone(leaf) => leaf.position,
        }
    }

    /// What it adds to the chain. `line` is room that is used again.
    pub(crate) fn hash(&self, line: &mut Vec<u8>) -> LineHash {
        match self {
            Self::Event(event) => hash_of_event(line, event),
            Self::Gone(leaf) => hash_of_leaf(leaf),
        }
    }
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
    let mut hashed = |link: Link| (link.hash(&mut line), link);
    let hash = |page: Vec<Link>| page.into_iter().map(&mut hashed).collect::<Vec<_>>();
    each_page(conn, (after, up_to), hash, |page| {
        page.into_iter().try_for_each(|(hash, link)| visit(link, hash))
    })
}

/// Everything that the log has after a position and up to another, in its order, a page at a time. A second
/// thread makes of each page what `visit` is given, while the next one is read. In memory are three pages of
/// events and one of what is left of others.
pub(crate) fn each_page<C, T, E>(
    conn: &mut C,
    (after, up_to): (Position, Position),
    work: impl FnMut(Vec<Link>) -> T + Send,
    mut visit: impl FnMut(T) -> Result<(), E>,
) -> Result<(), E>
where
    C: EventConnection + ?Sized,
    T: Send,
    E: From<ReadError>,
{
    let (mut query, mut page_size) = (LogQuery::after(after).without_archived(), PageSize::up_to(EVENTS));
    beside(vec![work], 1, |helper| {
        loop {
            let slice = EventStore::new().read_log(conn, &query, page_size.next())?;
            page_size.learn(&slice, query.max_bytes);
            let (from, to, is_end) = (query.from, slice.scanned_to().min(up_to), slice.is_end());
            let (page, read_to) = merge(conn, (from, to), slice.into_events())?;
            helper.give(page).map_or(Ok(()), &mut visit)?;
            query.resume(read_to);
            if read_to == to && (is_end || to == up_to) {
                return helper.take().map_or(Ok(()), visit);
            }
        }
    })
}

/// What is left of events is read after the events, so what is archived in between was among these. What is
/// restored in between is in neither, but then more events are counted than were read. Returns up to where
/// nothing was missing.
fn merge<C>(
    conn: &mut C,
    (mut from, to): (Position, Position),
    events: Vec<RecordedEvent>,
) -> Result<(Vec<Link>, Position), ReadError>
where
    C: EventConnection + ?Sized,
{
    let (mut page, mut events) = (Vec::with_capacity(events.len()), events.into_iter().peekable());
    loop {
        let leaves = conn.database().leaves(from, to, LEAVES)?;
        let next = leaves.last().filter(|_| leaves.len() as i64 == LEAVES).map_or(to, |last| last.position);
        let read: Vec<_> = iter::from_fn(|| events.next_if(|event| event.position <= next)).collect();
        let there = conn.database().events_between(from, next)?;
        if there > read.len() as i64 {
            return Ok((page, from));
        }
        in_their_order(read, leaves, &mut page);
        if next == to {
            return Ok((page, to));
        }
        from = next;
    }
}

fn in_their_order(events: Vec<RecordedEvent>, leaves: Vec<Leaf>, page: &mut Vec<Link>) {
    let mut events = events.into_iter().peekable();
    for leaf in leaves {
        page.extend(
            iter::from_fn(|| events.next_if(|event| event.position < leaf.position)).map(Link::Event),
        );
        // While it is being archived, the event is there, too.
        if events.peek().is_none_or(|event| event.position != leaf.position) {
            page.push(Link::Gone(leaf));
        }
    }
    page.extend(events.map(Link::Event));
}
