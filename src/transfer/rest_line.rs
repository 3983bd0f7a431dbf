//! What goes along with the events, one thing per line. Leases and tokens do not: no worker of the source is
//! to believe that it has claimed something here.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::encode::{compare, of_kind};
use super::error::FileProblem;
use super::event_line;
use super::item::Item;
use super::values::{check_number, check_room, check_text, read_id, read_time};
use crate::line::object::Object;
use crate::model::append_key::KeyedAppend;
use crate::model::hole::Hole;
use crate::model::invalid::{MAX_TENANT_LENGTH, check_name, check_name_up_to};
use crate::model::parked::{ParkReason, ParkedEvent, Request};
use crate::model::partition::{Barrier, Failing, Partition, PartitionKey, State};
use crate::model::position::Position;
use crate::model::projection_id::ProjectionId;
use crate::model::stream_id::StreamId;
use crate::model::witness::Witness;
use crate::storage::carry::{StreamStart, UsedKey};

pub(super) fn write_start(line: &mut Vec<u8>, start: &StreamStart) {
    of_kind(line, "stream", |object| {
        write_stream(object, &start.stream);
        object.optional("first_version", start.first_version.as_ref());
        object.field("version", &start.version);
        let archived = (start.archived_version > 0).then_some(start.archived_version);
        object.optional("archived_version", archived.as_ref());
        let missing: Vec<_> = start.missing.iter().map(|hole| [*hole.start(), *hole.end()]).collect();
        object.optional("missing", Some(&missing).filter(|missing| !missing.is_empty()));
    });
}

fn write_stream(object: &mut Object<'_>, stream: &StreamId) {
    object.optional("tenant_id", stream.tenant_id());
    object.field("aggregate_type", stream.aggregate_type());
    object.field("aggregate_id", stream.aggregate_id());
}

pub(super) fn write_partition(line: &mut Vec<u8>, partition: &Partition) {
    of_kind(line, "projection", |object| {
        let PartitionKey { projection, number } = &partition.key;
        object.field("name", &projection.name);
        object.field("version", &projection.version);
        object.field("partition", number);
        object.field("partitions", &partition.count);
        object.field("position", &partition.position.get());
        if let Some(witness) = partition.witness {
            object.field("last_event_position", &witness.position.get());
            object.field("last_event_id", &witness.event_id.to_string());
        }
        object.time("updated_at", partition.updated_at);
        object.field("state", partition.state.name());
        object.field("manual", &partition.is_manual());
        object.optional("last_error", partition.last_error.as_ref());
        let since = partition.failing.map(|failing| failing.since.timestamp_millis());
        object.optional("failing_since", since.as_ref());
        if let Some(barrier) = partition.barrier {
            object.field("barrier_position", &barrier.position.get());
            object.field("next_partitions", &barrier.next_count);
        }
    });
}

pub(super) fn write_parked(line: &mut Vec<u8>, projection: &ProjectionId, parked: &ParkedEvent) {
    of_kind(line, "parked", |object| {
        object.field("projection", &projection.name);
        object.field("version", &projection.version);
        object.field("global_position", &parked.position.get());
        object.field("event_id", &parked.event_id.to_string());
        write_stream(object, &parked.stream);
        object.field("reason", parked.reason.as_str());
        object.field("error", &parked.error);
        object.field("attempts", &parked.attempts);
        object.time("parked_at", parked.parked_at);
        object.optional("requested", parked.requested.map(Request::as_str));
        object.field("holds_back", &parked.holds_back);
    });
}

pub(super) fn write_key(line: &mut Vec<u8>, key: &UsedKey) {
    of_kind(line, "key", |object| {
        object.optional("tenant_id", Some(&*key.tenant_id).filter(|tenant_id| !tenant_id.is_empty()));
        object.field("key", &key.key);
        object.field("fingerprint", &key.append.fingerprint);
        object.field("first_event_id", &key.append.first_event_id.to_string());
        object.field("events", &key.append.event_count);
        object.time("created_at", key.created_at);
    });
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Line {
    Stream(StreamLine),
    Projection(PartitionLine),
    Parked(ParkedLine),
    Key(KeyLine),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StreamLine {
    tenant_id: Option<String>,
    aggregate_type: String,
    aggregate_id: String,
    first_version: Option<i64>,
    version: i64,
    archived_version: Option<i64>,
    missing: Option<Vec<[i64; 2]>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PartitionLine {
    name: String,
    version: i32,
    partition: i32,
    partitions: i32,
    position: Position,
    last_event_position: Option<Position>,
    last_event_id: Option<String>,
    updated_at: String,
    state: String,
    manual: bool,
    last_error: Option<String>,
    failing_since: Option<i64>,
    barrier_position: Option<Position>,
    next_partitions: Option<i32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ParkedLine {
    projection: String,
    version: i32,
    global_position: Position,
    event_id: String,
    tenant_id: Option<String>,
    aggregate_type: String,
    aggregate_id: String,
    reason: String,
    error: String,
    attempts: i32,
    parked_at: String,
    requested: Option<String>,
    holds_back: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyLine {
    tenant_id: Option<String>,
    key: String,
    fingerprint: i64,
    first_event_id: String,
    events: i64,
    created_at: String,
}

/// `first_token` is that of a partition that a worker has run.
pub(super) fn read(line: &str, first_token: i64) -> Result<Item, FileProblem> {
    let (line, check) = event_line::split(line);
    if check.is_empty() {
        return Err(FileProblem::Altered);
    }
    let (line, mut written) = (format!("{line}}}"), Vec::new());
    let item = match serde_json::from_str(&line)? {
        Line::Stream(line) => {
            let start = line.start()?;
            write_start(&mut written, &start);
            Item::Stream(start)
        }
        Line::Projection(line) => {
            let partition = line.partition(first_token)?;
            write_partition(&mut written, &partition);
            Item::Partition(Box::new(partition))
        }
        Line::Parked(line) => {
            let (projection, parked) = line.parked()?;
            write_parked(&mut written, &projection, &parked);
            Item::Parked(projection, Box::new(parked))
        }
        Line::Key(line) => {
            let key = line.key()?;
            write_key(&mut written, &key);
            Item::Key(key)
        }
    };
    compare(&line, &written).map(|()| item)
}

impl StreamLine {
    fn start(self) -> Result<StreamStart, FileProblem> {
        let (first, version) = (self.first_version.unwrap_or(1), self.version);
        check_number("first_version", first, 1..=i64::MAX)?;
        check_number("version", version, first..=i64::MAX - 1)?;
        let archived_version = self.archived_version.unwrap_or(0);
        let archivable = self.first_version.map_or(version, |first| first - 1);
        check_number("archived_version", archived_version, 0..=archivable)?;
        let last = self.first_version.map_or(first, |_| version);
        Ok(StreamStart {
            stream: read_stream(self.tenant_id, self.aggregate_type, self.aggregate_id)?,
            first_version: self.first_version,
            version,
            archived_version,
            missing: read_missing(self.missing.unwrap_or_default(), first, last)?,
        })
    }
}

fn read_stream(
    tenant_id: Option<String>,
    aggregate_type: String,
    aggregate_id: String,
) -> Result<StreamId, FileProblem> {
    let stream = StreamId::new(aggregate_type, aggregate_id)?;
    Ok(match tenant_id {
        Some(tenant_id) => stream.in_tenant(tenant_id)?,
        None => stream,
    })
}

/// Between two versions that are there, and with others between them.
fn read_missing(pairs: Vec<[i64; 2]>, first: i64, last: i64) -> Result<Vec<Hole>, FileProblem> {
    let mut there = first;
    let hole = |[begin, end]: [i64; 2]| {
        let is_one = there < begin && begin <= end && end < last;
        there = end.saturating_add(1);
        is_one.then_some(begin..=end)
    };
    let holes: Option<_> = pairs.into_iter().map(hole).collect();
    holes.ok_or_else(|| FileProblem::malformed("missing has versions that are not between two others"))
}

fn read_projection(name: String, version: i32) -> Result<ProjectionId, FileProblem> {
    check_name("projection", &name)?;
    check_number("version", version.into(), 1..=i32::MAX.into())?;
    Ok(ProjectionId::new(name, version))
}

/// What a column with fixed words says.
fn read_word<T>(field: &str, word: &str, known: fn(&str) -> Option<T>) -> Result<T, FileProblem> {
    known(word).ok_or_else(|| FileProblem::malformed(format!("{field} is {word:?}")))
}

impl PartitionLine {
    fn partition(self, first_token: i64) -> Result<Partition, FileProblem> {
        check_number("partitions", self.partitions.into(), 1..=i32::MAX.into())?;
        check_number("partition", self.partition.into(), 0..=i64::from(self.partitions) - 1)?;
        check_room("position", self.position)?;
        check_text("last_error", self.last_error.as_deref().unwrap_or_default())?;
        let event_id = self.last_event_id.map(|id| read_id("last_event_id", &id)).transpose()?;
        let witness = self.last_event_position.zip(event_id);
        let since = self.failing_since.and_then(DateTime::<Utc>::from_timestamp_millis);
        let barrier = self.barrier_position.zip(self.next_partitions);
        Ok(Partition {
            key: PartitionKey {
                projection: read_projection(self.name, self.version)?,
                number: self.partition,
            },
            count: self.partitions,
            position: self.position,
            witness: witness.map(|(position, event_id)| Witness { position, event_id }),
            updated_at: read_time("updated_at", &self.updated_at)?,
            state: read_word("state", &self.state, State::stored)?,
            last_error: self.last_error,
            failing: since.map(|since| Failing { since, lasts: Duration::ZERO }),
            owner: None,
            token: if self.manual { 0 } else { first_token },
            barrier: barrier.map(|(position, next_count)| Barrier { position, next_count }),
        })
    }
}

impl ParkedLine {
    fn parked(self) -> Result<(ProjectionId, ParkedEvent), FileProblem> {
        check_text("error", &self.error)?;
        let requested = self.requested.map(|requested| read_word("requested", &requested, Request::stored));
        let parked = ParkedEvent {
            position: self.global_position,
            event_id: read_id("event_id", &self.event_id)?,
            stream: read_stream(self.tenant_id, self.aggregate_type, self.aggregate_id)?,
            reason: read_word("reason", &self.reason, ParkReason::stored)?,
            error: self.error,
            attempts: self.attempts,
            parked_at: read_time("parked_at", &self.parked_at)?,
            requested: requested.transpose()?,
            holds_back: self.holds_back,
        };
        Ok((read_projection(self.projection, self.version)?, parked))
    }
}

impl KeyLine {
    fn key(self) -> Result<UsedKey, FileProblem> {
        check_name("idempotency_key", &self.key)?;
        check_number("events", self.events, 1..=i64::MAX)?;
        if let Some(tenant_id) = &self.tenant_id {
            check_name_up_to(MAX_TENANT_LENGTH, "tenant_id", tenant_id)?;
        }
        Ok(UsedKey {
            tenant_id: self.tenant_id.unwrap_or_default(),
            key: self.key,
            append: KeyedAppend {
                fingerprint: self.fingerprint,
                first_event_id: read_id("first_event_id", &self.first_event_id)?,
                event_count: self.events,
            },
            created_at: read_time("created_at", &self.created_at)?,
        })
    }
}
