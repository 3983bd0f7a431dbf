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
        query.resume(slice.scanned_to());
        merge(conn, (from, to), slice.into_events(), &mut visit)?;
        if is_end || to == up_to {
            return Ok(());
        }
    }
}

/// What is left of events is read after the events: what is archived in between was among these.
fn merge<C, E>(
    conn: &mut C,
    (mut from, to): (Position, Position),
    events: Vec<RecordedEvent>,
    visit: &mut impl FnMut(Link) -> Result<(), E>,
) -> Result<(), E>
where
    C: EventConnection + ?Sized,
    E: From<ReadError>,
{
    let mut events = events.into_iter().take_while(|event| event.position <= to).peekable();
    loop {
        let leaves = conn.database().leaves(from, to, LEAVES).map_err(ReadError::from)?;
        let next = leaves.last().filter(|_| leaves.len() as i64 == LEAVES).map(|last| last.position);
        for leaf in leaves {
            while let Some(event) = events.next_if(|event| event.position < leaf.position) {
                visit(Link::Event(event))?;
            }
            // While it is being archived, the event is there, too.
            if events.peek().is_none_or(|event| event.position != leaf.position) {
                visit(Link::Gone(leaf))?;
            }
        }
        match next {
            Some(next) => from = next,
            None => return events.map(Link::Event).try_for_each(visit),
        }
    }
}
