use super::finding::Finding;
use super::links::{Link, LinkRef, Page, each_page};
use super::seals::Seals;
use super::verified::Verified;
use super::versions::Versions;
use crate::model::event::RecordedEvent;
use crate::model::json::Json;
use crate::model::partition::Partition;
use crate::model::position::Position;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::error::DatabaseError;
use crate::storage::read::ReadError;

/// Reads the whole log and finds what does not agree with the rest:
///
/// - the versions of each stream follow each other in the order of the log, without a gap or a repetition;
///   the first may be a later one, once earlier events were archived or erased;
/// - payloads and metadata are JSON;
/// - the events up to each [`seal`](super::seal()) are those that were sealed; of an event that was
///   [archived](crate::guide::archiving) since, what is left of it fits;
/// - the row of each stream in `aggregate_heads` is at its last version;
/// - no two events have the same id;
/// - checkpoints are within the log, and the last event that a projection has applied is still the one there.
///
/// It changes nothing, and the application can go on: what is appended meanwhile is read or not, and is no
/// finding. It reads as fast as [`iter_log`](crate::EventStore::iter_log), up to where the log is complete,
/// and then an index of all events twice. It needs 24 bytes of memory for each stream.
///
/// Without a seal it cannot tell whether an event was changed into another one that fits; and whoever changes
/// the seals as well is found only by one that was kept elsewhere: see
/// [tamper evidence](crate::guide::tamper_evidence).
///
/// Call it outside of transactions. In REPEATABLE READ and SERIALIZABLE the log is read up to the
/// [published](crate::EventStore::publish_position) position.
///
/// # Errors
///
/// [`ReadError::Database`]: the database refused or failed; of kind
/// [`Unreadable`](crate::DatabaseErrorKind::Unreadable) if a row has a value that is none at all, such as an
/// id that is no UUID.
///
/// ```
/// # use diesel::prelude::*;
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// for finding in diesel_event_store::operate::verify(&mut conn)?.findings() {
///     println!("{finding}");
/// }
/// # Ok(())
/// # }
/// ```
pub fn verify<C: EventConnection + ?Sized>(conn: &mut C) -> Result<Verified, ReadError> {
    let mut verified = read_events(conn)?;
    let most = Verified::MOST as i64;
    let heads = conn.database().wrong_heads(most)?;
    let heads =
        heads.into_iter().map(|head| Finding::Head { stream: head.stream, last: head.last, head: head.head });
    let ids = conn.database().shared_ids(most)?;
    verified.findings.extend(heads);
    verified.findings.extend(ids.into_iter().map(|event_id| Finding::SharedId { event_id }));
    verified.findings.extend(of_checkpoints(conn)?);
    Ok(verified)
}

fn read_events<C: EventConnection + ?Sized>(conn: &mut C) -> Result<Verified, ReadError> {
    let (mut verified, mut versions) = (Verified::default(), Versions::default());
    // Before the events, so that all that they are over are read.
    let log_id = conn.database().log_row()?.log_id;
    let mut seals = Seals::of_log(log_id, conn.database().seals()?);
    let (sealed_to, mut line) = (seals.end, Vec::new());
    let mut hash = |link: LinkRef<'_>| (link.position() <= sealed_to).then(|| link.hash(&mut line));
    let hash = |page: &Page| page.iter().map(&mut hash).collect::<Vec<_>>();
    each_page(conn, (Position::START, Position::END), hash, |hashes, page| -> Result<(), ReadError> {
        for (hash, link) in hashes.into_iter().zip(page.into_links()) {
            let findings = hash.map(|hash| seals.add(link.position(), hash)).unwrap_or_default();
            findings.into_iter().for_each(|finding| verified.add(finding));
            match link {
                Link::Event(event) => verified.read(&event, versions.replace(&event)),
                Link::Gone(leaf) => verified.miss(leaf.position),
            }
        }
        Ok(())
    })?;
    verified.streams = versions.streams();
    // In a transaction that reads only a part of the log, what is above is not compared.
    let (last, read) = (conn.database().last_committed_position()?, verified.last_position);
    let rest = seals.compare(|seal| seal.position <= read || last <= read);
    rest.into_iter().for_each(|finding| verified.add(finding));
    verified.seals = seals.compared;
    Ok(verified)
}

impl Verified {
    /// An event, and the version before it in its stream.
    fn read(&mut self, event: &RecordedEvent, before: Option<i64>) {
        match before {
            None => self.begin_later += u64::from(event.version() > 1),
            Some(before) if event.version() == before + 1 => {}
            Some(before) => self.add(follows_not(event, before)),
        }
        not_json(event).into_iter().for_each(|finding| self.add(finding));
        self.events += 1;
        self.last_position = event.position();
    }

    /// An event that was archived.
    fn miss(&mut self, position: Position) {
        self.archived += 1;
        let last_event = self.last_position;
        let range = self.archived_ranges.last_mut().filter(|range| *range.end() > last_event);
        if let Some(range) = range {
            *range = *range.start()..=position;
        } else if self.archived_ranges.len() < Self::MOST {
            self.archived_ranges.push(position..=position);
        }
    }

    fn add(&mut self, finding: Finding) {
        match self.findings.len() < Self::MOST {
            true => self.findings.push(finding),
            false => self.more += 1,
        }
    }
}

fn follows_not(event: &RecordedEvent, before: i64) -> Finding {
    let (position, found) = (event.position(), event.version());
    Finding::Version { position, stream: event.stream().clone(), before, found }
}

fn not_json(event: &RecordedEvent) -> Option<Finding> {
    let content = [("payload", Some(&event.content.payload)), ("metadata", event.content.metadata.as_ref())];
    content.into_iter().find_map(|(field, json)| {
        let reason = json.and_then(Json::problem)?;
        Some(Finding::NotJson { position: event.position(), field, reason })
    })
}

fn of_checkpoints<C: EventConnection + ?Sized>(conn: &mut C) -> Result<Vec<Finding>, DatabaseError> {
    // In this order, so that what is applied meanwhile is not beyond the end.
    let partitions = conn.database().every_partition()?;
    let end = conn.database().last_assigned_position()?;
    let mut findings = Vec::new();
    for partition in &partitions {
        findings.extend(beyond(partition, end));
        findings.extend(contradicted(conn, partition)?);
    }
    Ok(findings)
}

fn beyond(partition: &Partition, end: Position) -> Option<Finding> {
    let (projection, checkpoint) = (partition.key.projection.clone(), partition.position);
    (checkpoint > end).then_some(Finding::Checkpoint { projection, checkpoint, end })
}

/// An event that was erased contradicts nothing.
fn contradicted<C: EventConnection + ?Sized>(
    conn: &mut C,
    partition: &Partition,
) -> Result<Option<Finding>, DatabaseError> {
    let Some(witness) = partition.witness else { return Ok(None) };
    let found = conn.database().event_id_at(witness.position)?;
    Ok(found.filter(|&found| found != witness.event_id).map(|found| Finding::OtherEvent {
        projection: partition.key.projection.clone(),
        position: witness.position,
        applied: witness.event_id,
        found,
    }))
}
