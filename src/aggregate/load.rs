use super::snapshot::begin;
use super::{AggregateRef, LoadError};
use crate::decision::{Aggregate, Loaded};
use crate::model::direction::Direction;
use crate::model::stream::StreamPart;
use crate::model::stream_id::StreamId;
use crate::storage::connection::{EventConnection, HasDatabase};

/// How many events are in memory at the same time.
const PAGE: i64 = 1_000;

impl<A: Aggregate> AggregateRef<A> {
    /// The state of the aggregate, folded from its events, or from a [snapshot](crate::Snapshots) and the
    /// events after it. Without events it is the
    /// [initial](Aggregate::initial) one, at version 0.
    ///
    /// If the events were erased, it is the initial state at the version at which the stream has ended.
    ///
    /// Inside a transaction it sees what the transaction has appended, and locks nothing.
    ///
    /// # Errors
    ///
    /// - [`LoadError::Event`]: an event cannot be read.
    /// - [`LoadError::Invalid`]: the id is empty, too long or has a control character; or something else that
    ///   was given.
    /// - [`LoadError::Database`]: the database refused or failed.
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// fn version_of<A: Aggregate>(conn: &mut impl EventConnection, id: &str) -> Result<i64, LoadError> {
    ///     Ok(EventStore::new().aggregate::<A>(id).load(conn)?.version)
    /// }
    /// ```
    pub fn load<C: EventConnection + ?Sized>(&self, conn: &mut C) -> Result<Loaded<A>, LoadError> {
        read_all(conn, self.stream()?)
    }
}

/// Reads all. Only of a stream without events it asks where it ends, because its events may have been erased;
/// then it reads once more, what was appended in between.
pub(super) fn read_all<A: Aggregate, C: EventConnection + ?Sized>(
    conn: &mut C,
    stream: &StreamId,
) -> Result<Loaded<A>, LoadError> {
    let loaded = read_on(conn, stream, None)?;
    if loaded.version > 0 {
        return Ok(loaded);
    }
    match conn.database().version(stream)? {
        0 => Ok(loaded),
        end => Ok(read_on(conn, stream, Some(loaded))?.at_least(end)),
    }
}

/// Reads what is new since the aggregate was loaded.
pub(super) fn read_on<A: Aggregate, C: EventConnection + ?Sized>(
    conn: &mut C,
    stream: &StreamId,
    known: Option<Loaded<A>>,
) -> Result<Loaded<A>, LoadError> {
    read_to(conn, stream, i64::MAX, known)
}

/// The same up to a version.
pub(super) fn read_to<A: Aggregate, C: EventConnection + ?Sized>(
    conn: &mut C,
    stream: &StreamId,
    end: i64,
    known: Option<Loaded<A>>,
) -> Result<Loaded<A>, LoadError> {
    let mut loaded = match known {
        Some(known) => known,
        None => begin(conn, stream)?,
    };
    loop {
        let page = page_after(loaded.version, end);
        let events = conn.database().read_stream(stream, page)?;
        loaded = loaded.after(&events)?;
        if loaded.version < page.to || page.to == end {
            return Ok(loaded);
        }
    }
}

fn page_after(version: i64, end: i64) -> StreamPart {
    StreamPart { from: version + 1, to: end.min(version + PAGE), direction: Direction::Forward }
}
