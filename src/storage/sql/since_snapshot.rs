//! A snapshot and the events since then, in one statement.

use diesel::deserialize;
use diesel::expression::QueryMetadata;
use diesel::result::QueryResult;
use diesel::row::Row;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};

use super::snapshots::select_snapshot;
use crate::model::json::Json;
use crate::model::snapshot::Snapshot;
use crate::model::stream_id::StreamId;
use crate::storage::executor::Executor;
use crate::storage::since_snapshot::{PAGE, Since};
use crate::storage::sql::dialect::{Dialect, Id, Time};
use crate::storage::sql::row::{Columns, Events, optional, value};
use crate::storage::sql::rows::Rows;
use crate::storage::sql::statement::statement;

/// The columns of an event, and a state.
pub(crate) type SinceColumns = (
    BigInt,
    Text,
    Text,
    Text,
    BigInt,
    Id,
    Text,
    Integer,
    Text,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Text>,
    Time,
    Nullable<Text>,
);
const STATE: usize = 14;

statement! {
    for every database;
    /// In one round trip: most aggregates have no snapshot, and would pay for the question. The first row is
    /// the event of the snapshot, if there is one, with the state. The limit is [`PAGE`], and stands in the
    /// statement: SQLite prepares one with a bound LIMIT again each time.
    SelectSinceSnapshot<'a> {
        of_tenant_id: &'a str => bind_tenant,
        of_aggregate_type: &'a str => bind_text,
        of_aggregate_id: &'a str => bind_text,
        version: i32 => bind_integer,
        tenant_id: &'a str => bind_tenant,
        aggregate_type: &'a str => bind_text,
        aggregate_id: &'a str => bind_text,
    } -> SinceColumns,
    concat!(
        "WITH kept AS (",
        select_snapshot!(),
        ") SELECT event.global_position, event.tenant_id, event.aggregate_type, event.aggregate_id, \
         event.aggregate_version, event.event_id, event.event_type, event.event_version, event.payload, \
         event.metadata, event.trace_id, event.correlation_id, event.causation_id, event.created_at, \
         CASE WHEN event.aggregate_version = (SELECT aggregate_version FROM kept) \
         THEN (SELECT state FROM kept) END \
         FROM events AS event \
         WHERE event.tenant_id = ? AND event.aggregate_type = ? AND event.aggregate_id = ? \
         AND event.aggregate_version >= COALESCE((SELECT aggregate_version FROM kept), 1) \
         ORDER BY event.aggregate_version LIMIT 1000"
    )
}

/// What comes of these rows.
struct SinceRows<'s> {
    snapshot: Option<Snapshot>,
    events: Events<'s>,
    rows: i64,
}

impl<DB: Columns> Rows<DB> for SinceRows<'_> {
    type Output = Since;

    fn add<'r>(&mut self, row: &impl Row<'r, DB>) -> deserialize::Result<()> {
        self.rows += 1;
        match optional(row, STATE, DB::text)? {
            None => self.events.add(row),
            Some(state) => {
                let (version, event_id) = (value(row, 4, DB::long)?, value(row, 5, DB::id)?);
                self.snapshot = Some(Snapshot { version, event_id, state: Json::stored(state) });
                Ok(())
            }
        }
    }

    fn finish(self) -> Since {
        let events = Rows::<DB>::finish(self.events);
        Since { snapshot: self.snapshot, events, is_all: self.rows < PAGE }
    }
}

pub(crate) async fn since_snapshot<C>(conn: &mut C, stream: &StreamId, version: i32) -> QueryResult<Since>
where
    C: Executor,
    C::Backend: Dialect + QueryMetadata<SinceColumns>,
{
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
    conn.load(select, SinceRows { snapshot: None, events: Events::of_stream(stream), rows: 0 }).await
}
