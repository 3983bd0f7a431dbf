use std::iter;

use crate::line::chain::Chain;
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
    /// Adds it to the chain, and says where it is. `line` is room that is used again.
    pub(crate) fn add_to(&self, chain: &mut Chain, line: &mut Vec<u8>) -> Position {
        match self {
            Self::Event(event) => {
                chain.add_event(line, event);
                event.position
            }
            Self::Gone(leaf) => {
                chain.add_leaf(leaf);
                leaf.position
            }
        }
    }

    pub(crate) fn position(&self) -> Position {
        match self {
            Self::Event(event) => event.position,
            Self::Gone(leaf) => leaf.position,
        }
    }
}

/// Everything that the log has after a position and up to another, in its order. In memory are a page of
/// events and one of what is left of others.
pub(crate) fn each_link<C, E>(
    conn: &mut C,
    after: Position,
    up_to: Position,
    mut visit: impl FnMut(Link) -> Result<(), E>,
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
        let visited_to = merge(conn, (from, to), slice.into_events(), &mut visit)?;
        query.resume(visited_to);
        if visited_to == to && (is_end || to == up_to) {
            return Ok(());
        }
    }
}

/// What is left of events is read after the events, so what is archived in between was among these. What is
/// restored in between is in neither, but then more events are counted than were read. Returns up to where
/// nothing was missing.
fn merge<C, E>(
    conn: &mut C,
    (mut from, to): (Position, Position),
    events: Vec<RecordedEvent>,
    visit: &mut impl FnMut(Link) -> Result<(), E>,
) -> Result<Position, E>
where
    C: EventConnection + ?Sized,
    E: From<ReadError>,
{
    let mut events = events.into_iter().peekable();
    loop {
        let leaves = conn.database().leaves(from, to, LEAVES).map_err(ReadError::from)?;
        let next = leaves.last().filter(|_| leaves.len() as i64 == LEAVES).map_or(to, |last| last.position);
        let read: Vec<_> = iter::from_fn(|| events.next_if(|event| event.position <= next)).collect();
        let there = conn.database().events_between(from, next).map_err(ReadError::from)?;
        if there > read.len() as i64 {
            return Ok(from);
        }
        in_their_order(read, leaves, visit)?;
        if next == to {
            return Ok(to);
        }
        from = next;
    }
}

fn in_their_order<E>(
    events: Vec<RecordedEvent>,
    leaves: Vec<Leaf>,
    visit: &mut impl FnMut(Link) -> Result<(), E>,
) -> Result<(), E> {
    let mut events = events.into_iter().peekable();
    for leaf in leaves {
        while let Some(event) = events.next_if(|event| event.position < leaf.position) {
            visit(Link::Event(event))?;
        }
        // While it is being archived, the event is there, too.
        if events.peek().is_none_or(|event| event.position != leaf.position) {
            visit(Link::Gone(leaf))?;
        }
    }
    events.map(Link::Event).try_for_each(visit)
}
