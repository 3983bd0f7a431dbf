//! A snapshot and the events since then, in one statement.

use diesel::deserialize;
use diesel::expression::QueryMetadata;
use diesel::result::QueryResult;
use diesel::row::Row;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};

use crate::model::direction::Direction;
use crate::model::json::Json;
use crate::model::snapshot::Snapshot;
use crate::model::stream::StreamPart;
use crate::model::stream_id::StreamId;
use crate::storage::executor::Executor;
use crate::storage::lent::{BackendOf, Lent};
use crate::storage::since_snapshot::{PAGE, Since, SinceSnapshot};
use crate::storage::sql::dialect::{Dialect, Id, Time};
use crate::storage::sql::row::{Columns, Events, optional, value};
use crate::storage::sql::rows::Rows;
use crate::storage::sql::statement::statement;
use crate::storage::stream_page::StreamPage;

/// The columns of an event, a state and the version of the snapshot.
type SinceColumns = (
    Nullable<BigInt>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<BigInt>,
    Nullable<Id>,
    Nullable<Text>,
    Nullable<Integer>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Time>,
    Nullable<Text>,
    Nullable<BigInt>,
);
const STATE: usize = 14;
const SNAPSHOT_VERSION: usize = 15;

statement! {
    for every database;
    /// In one round trip: most aggregates have no snapshot, and would pay for the question. There is a row also
    /// if there are no events: it tells whether there is a snapshot nevertheless. The first row is the event of
    /// the snapshot, if the stream has it, with the state. The limit is [`PAGE`], without ORDER BY: with it
    /// MariaDB takes twice as long for ten events, since it sorts them once more.
    SelectSinceSnapshot<'a> {
        of_tenant_id: &'a str => bind_tenant,
        of_aggregate_type: &'a str => bind_text,
        of_aggregate_id: &'a str => bind_text,
        version: i32 => bind_integer,
        tenant_id: &'a str => bind_tenant,
        aggregate_type: &'a str => bind_text,
        aggregate_id: &'a str => bind_text,
    } -> SinceColumns,
    "SELECT event.global_position, event.tenant_id, event.aggregate_type, event.aggregate_id, \
     event.aggregate_version, event.event_id, event.event_type, event.event_version, event.payload, \
     event.metadata, event.trace_id, event.correlation_id, event.causation_id, event.created_at, \
     CASE WHEN event.aggregate_version = kept.aggregate_version AND event.event_id = kept.event_id \
     THEN kept.state END, kept.aggregate_version \
     FROM {one_row} AS stream \
     LEFT JOIN snapshots AS kept ON kept.tenant_id = ? AND kept.aggregate_type = ? \
     AND kept.aggregate_id = ? AND kept.snapshot_version = ? \
     LEFT JOIN {events_on} event.tenant_id = ? AND event.aggregate_type = ? AND event.aggregate_id = ? \
     AND event.aggregate_version >= COALESCE(kept.aggregate_version, 1) {end_on} \
     WHERE stream.id = 1 LIMIT 1000"
}

/// What comes of these rows.
struct SinceRows<'s> {
    /// Every row has it.
    snapshot_version: Option<i64>,
    snapshot: Option<Snapshot>,
    events: Events<'s>,
}

impl SinceRows<'_> {
    fn have_begun(&self) -> bool {
        self.snapshot.is_some() || !self.events.is_empty()
    }

    /// Whether the first row has an event. If not, there is no other row.
    fn begin<'r, DB: Columns>(&mut self, row: &impl Row<'r, DB>) -> deserialize::Result<bool> {
        self.snapshot_version = optional(row, SNAPSHOT_VERSION, DB::long)?;
        Ok(optional(row, 0, DB::long)?.is_some())
    }

    fn is_to_find_state(&self) -> bool {
        self.snapshot_version.is_some() && self.snapshot.is_none()
    }

    /// Whether it has the state.
    fn find_state<'r, DB: Columns>(&mut self, row: &impl Row<'r, DB>) -> deserialize::Result<bool> {
        let Some(state) = optional(row, STATE, DB::text)? else { return Ok(false) };
        let (version, event_id) = (value(row, 4, DB::long)?, value(row, 5, DB::id)?);
        self.snapshot = Some(Snapshot { version, event_id, state: Json::stored(state) });
        Ok(true)
    }
}

impl<DB: Columns> Rows<DB> for SinceRows<'_> {
    /// Nothing, if the stream does not have the event of the snapshot.
    type Output = Option<Since>;

    /// If there is no snapshot, only the first row is asked for one.
    fn add<'r>(&mut self, row: &impl Row<'r, DB>) -> deserialize::Result<()> {
        let is_empty = !self.have_begun() && !self.begin(row)?;
        if is_empty || self.is_to_find_state() && self.find_state(row)? {
            return Ok(());
        }
        self.events.add(row)
    }

    fn finish(self) -> Option<Since> {
        if self.is_to_find_state() {
            return None;
        }
        Some(Since::page(self.snapshot, Rows::<DB>::finish(self.events)))
    }
}

impl<L> SinceSnapshot for L
where
    L: Lent + StreamPage,
    BackendOf<L>: Dialect + QueryMetadata<SinceColumns>,
{
    async fn since_snapshot(&mut self, stream: &StreamId, version: i32) -> QueryResult<Since> {
        let (tenant_id, aggregate_type) = (stream.tenant_column(), stream.aggregate_type());
        let aggregate_id = stream.aggregate_id();
        let select = SelectSinceSnapshot {
            of_tenant_id: tenant_id,
            of_aggregate_type: aggregate_type,
            of_aggregate_id: aggregate_id,
            version,
            tenant_id,
            aggregate_type,
            aggregate_id,
        };
        let rows = SinceRows { snapshot_version: None, snapshot: None, events: Events::of_stream(stream) };
        if let Some(since) = self.connection().load(select, rows).await? {
            return Ok(since);
        }
        let all = StreamPart { from: 1, to: i64::MAX, direction: Direction::Forward };
        Ok(Since::page(None, self.stream_page(stream, all, PAGE).await?))
    }
}
