use chrono::{DateTime, Utc};
use diesel::mysql::Mysql;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};

use super::fence::{Entry, count_positions, last_insert_id};
use super::guards::inside;
use crate::model::event::{Content, NewEvent};
use crate::model::invalid::{InvalidInput, Problem};
use crate::model::json::Json;
use crate::model::ordering::LogOrdering;
use crate::model::position::Position;
use crate::model::stream_id::StreamId;
use crate::storage::append::{AppendError, Batch};
use crate::storage::error_kind::DatabaseErrorKind;
use crate::storage::executor::Executor;
use crate::storage::refused::Refused;
use crate::storage::sql::dialect::{Dialect, Time};

/// Events that one statement inserts at most, and bytes that are enough for one. A round trip costs more than
/// a row, but the numbers of rows are powers of two, so that there are few statements and all of them stay
/// prepared.
const MOST_ROWS: usize = 64;
pub(super) const ENOUGH_BYTES: usize = 4 << 20;

/// More than all that is in a row beside JSON.
const ROW_BYTES: usize = 8 << 10;

/// Below this the server's `max_allowed_packet` is not asked for.
const SMALL_BATCH_BYTES: usize = 512 << 10;

/// How large a statement for this batch should be. Refuses an event that would not fit in any: the server
/// would close the connection.
pub(super) async fn statement_bytes<C>(conn: &mut C, batch: &Batch<'_>) -> Result<usize, AppendError>
where
    C: Executor<Backend = Mysql>,
{
    if batch.events.iter().map(row_bytes).sum::<usize>() <= SMALL_BATCH_BYTES {
        return Ok(ENOUGH_BYTES);
    }
    let packet: i64 = conn.row(diesel::select(diesel::dsl::sql::<BigInt>("@@max_allowed_packet"))).await?;
    let limit = usize::try_from(packet).unwrap_or(usize::MAX);
    let too_large = |event: &NewEvent| row_bytes(event) > limit;
    if let Some(index) = batch.events.iter().position(too_large) {
        let problem = Problem::TooLarge { bytes: row_bytes(&batch.events[index]), limit };
        return Err(InvalidInput::new("payload", problem).of_event(index).into());
    }
    Ok(limit.min(ENOUGH_BYTES))
}

/// Bytes of a row in a statement, or somewhat more.
fn row_bytes(event: &NewEvent) -> usize {
    content_bytes(&event.content)
}

fn content_bytes(content: &Content) -> usize {
    let json_bytes = |json: &Json| json.as_str().len();
    json_bytes(&content.payload) + content.metadata.as_ref().map_or(0, json_bytes) + ROW_BYTES
}

/// Inserts the events of a batch, whose head has been moved, and returns their positions. After an error some
/// may be there.
pub(super) async fn insert_events<C: Executor<Backend = Mysql>>(
    conn: &mut C,
    batch: &Batch<'_>,
    previous_version: i64,
    entry: &Entry,
    statement_bytes: usize,
) -> QueryResult<Vec<Position>> {
    let versions = previous_version + 1..=previous_version + batch.len();
    let mut rows: Vec<_> =
        versions.zip(batch.events).map(|(version, event)| EventRow::new(batch, version, event)).collect();
    if entry.ordering == LogOrdering::Gapless {
        let first = count_positions(conn, batch.len()).await?;
        (first..).zip(&mut rows).for_each(|(position, row)| row.global_position = Some(position));
    }
    let (mut positions, mut rows) = (Vec::with_capacity(rows.len()), &*rows);
    while !rows.is_empty() {
        let (together, rest) = rows.split_at(rows_together(rows, statement_bytes));
        conn.execute(InsertEvents(together)).await?;
        match together[0].global_position {
            Some(_) => positions.extend(together.iter().filter_map(|row| row.global_position)),
            // The values of one statement follow each other, in every innodb_autoinc_lock_mode, since the
            // number of rows is known before.
            None => {
                let first = last_insert_id(conn).await?;
                refuse_below(first, entry.safe)?;
                positions.extend((first..).step_by(entry.step).take(together.len()));
            }
        }
        rows = rest;
    }
    Ok(positions.into_iter().map(Position::stored).collect())
}

/// Readers are beyond the safe position. AUTO_INCREMENT has not been as far if events were removed, or an
/// older state of their table was restored.
fn refuse_below(position: i64, safe: i64) -> QueryResult<()> {
    if position > safe {
        return Ok(());
    }
    let reason = format!("AUTO_INCREMENT gives out position {position}, readers have come to {safe}");
    Err(Refused::error(DatabaseErrorKind::NeedsRepair, reason))
}

/// How many of the rows, of which there is at least one, to insert with one statement.
pub(super) fn rows_together(rows: &[EventRow<'_>], statement_bytes: usize) -> usize {
    let mut together = 1;
    while together * 2 <= rows.len().min(MOST_ROWS)
        && rows[..together * 2].iter().map(|row| row.bytes).sum::<usize>() <= statement_bytes
    {
        together *= 2;
    }
    together
}

pub(super) struct EventRow<'a> {
    /// `None` if the database is to give it out.
    pub(super) global_position: Option<i64>,
    stream: &'a StreamId,
    aggregate_version: i64,
    event_id: String,
    content: &'a Content,
    /// `metadata`, `trace_id`, `correlation_id`, `causation_id`.
    optional_texts: [Option<&'a str>; 4],
    created_at: DateTime<Utc>,
    bytes: usize,
}

impl<'a> EventRow<'a> {
    fn new(batch: &Batch<'a>, aggregate_version: i64, event: &'a NewEvent) -> Self {
        let created_at = event.created_at.unwrap_or(batch.now);
        Self::of(batch.stream, aggregate_version, &event.content, created_at)
    }

    pub(super) fn of(
        stream: &'a StreamId,
        aggregate_version: i64,
        content: &'a Content,
        created_at: DateTime<Utc>,
    ) -> Self {
        Self {
            global_position: None,
            stream,
            aggregate_version,
            event_id: content.event_id.to_string(),
            content,
            optional_texts: [
                content.metadata.as_ref().map(Json::as_str),
                content.trace_id.as_deref(),
                content.correlation_id.as_deref(),
                content.causation_id.as_deref(),
            ],
            created_at,
            bytes: content_bytes(content),
        }
    }

    fn walk<'b>(&'b self, out: &mut AstPass<'_, 'b, Mysql>) -> QueryResult<()> {
        let content = self.content;
        out.push_bind_param::<Nullable<BigInt>, _>(&self.global_position)?;
        out.push_sql(", ");
        Mysql::bind_tenant(out, self.stream.tenant_column())?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(self.stream.aggregate_type())?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(self.stream.aggregate_id())?;
        out.push_sql(", ");
        let (before, after) = inside!("?").split_once('?').unwrap_or_default();
        out.push_sql(before);
        out.push_bind_param::<BigInt, _>(&self.aggregate_version)?;
        out.push_sql(after);
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(self.event_id.as_str())?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(&*content.event_type)?;
        out.push_sql(", ");
        out.push_bind_param::<Integer, _>(&content.event_version)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(content.payload.as_str())?;
        out.push_sql(", ");
        for text in &self.optional_texts {
            out.push_bind_param::<Nullable<Text>, _>(text)?;
            out.push_sql(", ");
        }
        out.push_bind_param::<Time, _>(&self.created_at)
    }
}

/// By hand and not by `Insertable`, of which diesel prepares more than one row anew at each execution.
pub(super) struct InsertEvents<'a>(pub(super) &'a [EventRow<'a>]);

impl QueryFragment<Mysql> for InsertEvents<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Mysql>) -> QueryResult<()> {
        out.push_sql(
            "INSERT INTO events (global_position, tenant_id, aggregate_type, aggregate_id, aggregate_version, \
             event_id, event_type, event_version, payload, metadata, trace_id, correlation_id, causation_id, \
             created_at) VALUES ",
        );
        let mut separator = "(";
        for row in self.0 {
            out.push_sql(separator);
            row.walk(&mut out)?;
            separator = "), (";
        }
        out.push_sql(")");
        Ok(())
    }
}

/// Known by its text, which depends on the number of rows.
impl QueryId for InsertEvents<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
