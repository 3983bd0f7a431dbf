use std::collections::HashSet;

use super::before::Before;
use super::bound::{bounded, refuse_closed};
use super::error::ArchiveError;
use crate::model::position::Position;
use crate::model::stream_id::StreamId;
use crate::storage::archive::EndedStream;
use crate::storage::carry::StreamStart;
use crate::storage::connection::{EventConnection, HasDatabase};

/// Read at once.
const PAGE: i64 = 1_000;

/// What can be archived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archivable {
    before: Position,
    streams: u64,
    events: u64,
}

impl Archivable {
    /// The position before which the streams end.
    pub fn before(&self) -> Position {
        self.before
    }

    /// How many streams end before it.
    pub fn streams(&self) -> u64 {
        self.streams
    }

    /// How many events they have.
    pub fn events(&self) -> u64 {
        self.events
    }
}

/// Which streams can be archived: those whose last event lies before a position or a time. It changes
/// nothing. Of a stream that goes on after that, nothing is archived, because an aggregate is folded from all
/// its events. The log's last event always stays, and its stream.
///
/// The connection must not be in a transaction.
///
/// # Errors
///
/// [`ArchiveError::HeldBack`]: a projection has not come that far, or has parked an event before. Versions
/// that are retired do not count. [`ArchiveError::LogClosed`], [`ArchiveError::Invalid`], and those of the
/// database.
///
/// ```
/// # use diesel::prelude::*;
/// # use diesel_event_store::Position;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mut conn = SqliteConnection::establish(":memory:")?;
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// let archivable = diesel_event_store::transfer::archivable(&mut conn, Position::END)?;
/// println!("{} events of {} streams", archivable.events(), archivable.streams());
/// # Ok(())
/// # }
/// ```
pub fn archivable<C>(conn: &mut C, before: impl Into<Before>) -> Result<Archivable, ArchiveError>
where
    C: EventConnection + ?Sized,
{
    Ok(Selection::make(conn, before.into())?.archivable)
}

/// The streams that can be archived: 16 bytes for each, whatever its name.
pub(super) struct Selection {
    pub(super) archivable: Archivable,
    digests: HashSet<[u64; 2]>,
    /// Of those that do not begin with version 1.
    pub(super) starts: Vec<StreamStart>,
}

impl Selection {
    pub(super) fn make<C>(conn: &mut C, before: Before) -> Result<Self, ArchiveError>
    where
        C: EventConnection + ?Sized,
    {
        before.validate()?;
        refuse_closed(conn)?;
        let before = before.position(conn)?;
        let before = bounded(conn, before)?;
        let archivable = Archivable { before, streams: 0, events: 0 };
        let mut selection = Self { archivable, digests: HashSet::new(), starts: Vec::new() };
        let mut behind = None;
        loop {
            let page = conn.database().ended_streams(before, behind.as_ref(), PAGE)?;
            let Some(last) = page.last() else { return Ok(selection) };
            behind = Some(last.stream.clone());
            page.into_iter().try_for_each(|ended| selection.add(conn, ended))?;
        }
    }

    fn add<C>(&mut self, conn: &mut C, ended: EndedStream) -> Result<(), ArchiveError>
    where
        C: EventConnection + ?Sized,
    {
        let EndedStream { stream, first_version, version, events } = ended;
        self.archivable.streams += 1;
        self.archivable.events += u64::try_from(events).unwrap_or(0);
        self.digests.insert(stream.digest());
        let missing = match version - first_version + 1 == events {
            true => Vec::new(),
            false => conn.database().holes(&stream, Position::END)?,
        };
        if first_version > 1 || !missing.is_empty() {
            let first_version = Some(first_version);
            self.starts.push(StreamStart { stream, first_version, version, archived_version: 0, missing });
        }
        Ok(())
    }

    pub(super) fn contains(&self, stream: &StreamId) -> bool {
        self.digests.contains(&stream.digest())
    }
}
