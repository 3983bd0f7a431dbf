use diesel::result::QueryResult;

use super::{LoadError, short_streams};
use crate::decision::Aggregate;
use crate::model::direction::Direction;
use crate::model::event::RecordedEvent;
use crate::model::snapshot::Snapshot;
use crate::model::stream::StreamPart;
use crate::model::stream_id::StreamId;
use crate::storage::append::Append;
use crate::storage::read::Read;
use crate::storage::rewrites::Rewrites;
use crate::storage::since_snapshot::{PAGE, Since, SinceSnapshot};
use crate::storage::stream_page::StreamPage;
use crate::storage::transactions::Transactions;

/// What is read of a stream at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    /// Whether it is kept from changing first, inside a transaction.
    locks: bool,
    /// Events after this version of the stream.
    after: i64,
    /// Or those after the snapshot, if there is one.
    kept: Option<Kept>,
    to: i64,
    asks_for_end: AsksForEnd,
}

/// The snapshots that an aggregate has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kept {
    version: i32,
    /// Streams with fewer events have none, or do as well without.
    from: i64,
}

impl Kept {
    pub(super) fn of<A: Aggregate>() -> Option<Self> {
        A::snapshots()
            .map(|snapshots| Self { version: snapshots.version, from: i64::from(snapshots.every).min(PAGE) })
    }

    /// Whether a stream that ends at this version is too short for a snapshot.
    pub(super) fn is_too_early(self, version: i64) -> bool {
        version < self.from
    }

    /// The same of a stream that begins with these events. Others that were erased may be in a snapshot.
    fn is_too_early_after(self, events: &[RecordedEvent]) -> bool {
        let count = events.len() as i64;
        self.is_too_early(count) && events.last().is_some_and(|last| last.version() == count)
    }
}

/// When it is asked where a stream without events ends: they may have been erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AsksForEnd {
    Never,
    InsideTransaction,
    Always,
}

/// What was there.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) snapshot: Option<Snapshot>,
    /// After it.
    pub(super) events: Vec<RecordedEvent>,
    /// Whether there are no more.
    pub(super) is_all: bool,
    /// Where the stream ends at least.
    pub(super) end: i64,
    /// The version up to which earlier events were archived.
    archived_version: i64,
}

impl Seen {
    /// What is folded from later events alone is not the state of the aggregate.
    pub(super) fn refuse_archived(&self, stream: &StreamId) -> Result<(), LoadError> {
        match self.archived_version {
            0 => Ok(()),
            version => Err(LoadError::Archived { stream: stream.clone(), first_version: version + 1 }),
        }
    }
}

impl Look {
    /// At a whole stream.
    pub(super) fn at_all(kept: Option<Kept>) -> Self {
        Self { kept, asks_for_end: AsksForEnd::Always, ..Self::after(0) }
    }

    /// The same before something is decided. If it can be decided again, the append tells where the stream
    /// ends.
    pub(super) fn to_decide(kept: Option<Kept>, only_once: bool) -> Self {
        let asks_for_end = if only_once { AsksForEnd::Always } else { AsksForEnd::InsideTransaction };
        Self { locks: true, asks_for_end, ..Self::at_all(kept) }
    }

    /// At what is new since this version.
    pub(super) fn after(version: i64) -> Self {
        Self { locks: false, after: version, kept: None, to: i64::MAX, asks_for_end: AsksForEnd::Never }
    }

    /// At the first events.
    pub(super) fn up_to(version: i64) -> Self {
        Self { to: version, ..Self::after(0) }
    }

    /// At what follows this version.
    pub(super) fn go_on(self, version: i64) -> Self {
        Self { locks: false, after: version, kept: None, ..self }
    }
}

pub(super) async fn look<D>(database: &mut D, stream: &StreamId, look: Look) -> QueryResult<Seen>
where
    D: Append + Read + Rewrites + SinceSnapshot + StreamPage + Transactions,
{
    let is_inside = database.depth().await? > 0;
    if look.locks && is_inside {
        database.lock_head(stream).await?;
    }
    let Since { snapshot, mut events, mut is_all } = match look.kept {
        Some(kept) => since_snapshot(database, stream, kept).await?,
        None => page_of(database, stream, look).await?,
    };
    let (begins_with_the_first, mut end) = (snapshot.is_none() && look.after == 0, 0);
    let asks_for_end = look.asks_for_end == AsksForEnd::Always
        || look.asks_for_end == AsksForEnd::InsideTransaction && is_inside;
    if asks_for_end && begins_with_the_first && is_all && events.is_empty() {
        end = database.version(stream).await?;
        if end > 0 {
            // What was appended in between.
            Since { events, is_all, .. } = page_of(database, stream, look).await?;
        }
    }
    let begins_later = events.first().map_or(end > 0, |first| begins_with_the_first && first.version() > 1);
    let archived_version = if begins_later { database.archived_version(stream).await? } else { 0 };
    Ok(Seen { snapshot, events, is_all, end, archived_version })
}

/// Most streams that were short are so still: then they have no snapshot.
async fn since_snapshot<D>(database: &mut D, stream: &StreamId, kept: Kept) -> QueryResult<Since>
where
    D: SinceSnapshot + StreamPage,
{
    if short_streams::have(stream) {
        let all = StreamPart { from: 1, to: i64::MAX, direction: Direction::Forward };
        let events = database.stream_page(stream, all, kept.from).await?;
        if kept.is_too_early_after(&events) {
            return Ok(Since { snapshot: None, events, is_all: true });
        }
    }
    let since = database.since_snapshot(stream, kept.version).await?;
    short_streams::note(stream, since.snapshot.is_none() && kept.is_too_early_after(&since.events));
    Ok(since)
}

/// Without a snapshot.
async fn page_of<D: StreamPage>(database: &mut D, stream: &StreamId, look: Look) -> QueryResult<Since> {
    let part = StreamPart { from: look.after + 1, to: look.to, direction: Direction::Forward };
    let events = database.stream_page(stream, part, PAGE).await?;
    let is_all = events.len() < PAGE as usize || events.last().is_some_and(|last| last.version() == look.to);
    Ok(Since { snapshot: None, events, is_all })
}
