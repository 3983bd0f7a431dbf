//! What goes along with the events, one thing per line. Leases and tokens do not: no worker of the source is
//! to believe that it has claimed something here.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::encode::of_kind;
use super::error::FileProblem;
use super::event_line;
use super::item::Item;
use super::values::{read_id, read_time};
use crate::line::object::Object;
use crate::model::append_key::KeyedAppend;
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
    Ok(match serde_json::from_str(&format!("{line}}}"))? {
        Line::Stream(line) => Item::Stream(line.start()?),
        Line::Projection(line) => Item::Partition(Box::new(line.partition(first_token)?)),
        Line::Parked(line) => {
            let projection = ProjectionId::new(line.projection.clone(), line.version);
            Item::Parked(projection, Box::new(line.parked()?))
        }
        Line::Key(line) => Item::Key(line.key()?),
    })
}

impl StreamLine {
    fn start(self) -> Result<StreamStart, FileProblem> {
        let archived_version = self.archived_version.unwrap_or(0);
        let first_version = self.first_version.unwrap_or(1);
        if first_version < 1
            || self.version < first_version
            || !(0..=self.version).contains(&archived_version)
        {
            return Err(FileProblem::malformed("first_version, version or archived_version is out of range"));
        }
        Ok(StreamStart {
            stream: read_stream(self.tenant_id, self.aggregate_type, self.aggregate_id)?,
            first_version: self.first_version,
            version: self.version,
            archived_version,
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

/// What a column with fixed words says.
fn read_word<T>(field: &str, word: &str, known: fn(&str) -> Option<T>) -> Result<T, FileProblem> {
    known(word).ok_or_else(|| FileProblem::malformed(format!("{field} is {word:?}")))
}

impl PartitionLine {
    fn partition(self, first_token: i64) -> Result<Partition, FileProblem> {
        let event_id = self.last_event_id.map(|id| read_id("last_event_id", &id)).transpose()?;
        let witness = self.last_event_position.zip(event_id);
        let since = self.failing_since.and_then(DateTime::<Utc>::from_timestamp_millis);
        let barrier = self.barrier_position.zip(self.next_partitions);
        Ok(Partition {
            key: PartitionKey {
                projection: ProjectionId::new(self.name, self.version),
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
    fn parked(self) -> Result<ParkedEvent, FileProblem> {
        let requested = self.requested.map(|requested| read_word("requested", &requested, Request::stored));
        Ok(ParkedEvent {
            position: self.global_position,
            event_id: read_id("event_id", &self.event_id)?,
            stream: read_stream(self.tenant_id, self.aggregate_type, self.aggregate_id)?,
            reason: read_word("reason", &self.reason, ParkReason::stored)?,
            error: self.error,
            attempts: self.attempts,
            parked_at: read_time("parked_at", &self.parked_at)?,
            requested: requested.transpose()?,
            holds_back: self.holds_back,
        })
    }
}

impl KeyLine {
    fn key(self) -> Result<UsedKey, FileProblem> {
        check_name("idempotency_key", &self.key)?;
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
