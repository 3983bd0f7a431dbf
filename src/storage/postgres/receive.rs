//! An import. The trigger that keeps others out is disabled and enabled again within one transaction, which
//! has a lock that keeps them out meanwhile.

use std::fmt::{self, Write as _};
use std::io::Write;

use chrono::SecondsFormat;
use diesel::connection::SimpleConnection;
use diesel::pg::{CopyFormat, Pg, PgConnection};
use diesel::prelude::*;
use diesel::result::{Error, QueryResult};
use diesel::sql_types::{BigInt, Text, Uuid as SqlUuid};
use uuid::Uuid;

use super::freeze::{ALLOW_INSERTS, ENABLE_REFUSAL, WAIT_BRIEFLY, refuse_inserts};
use super::outside::refuse_foreign;
use crate::model::append_key::NewKey;
use crate::model::event::RecordedEvent;
use crate::model::json::Json;
use crate::model::log_state::LogState;
use crate::model::position::Position;
use crate::schema::postgres::events;
use crate::storage::blocking;
use crate::storage::lent::Postgres;
use crate::storage::now::now;
use crate::storage::receive::Receive;
use crate::storage::sql::keys::use_key;
use crate::storage::sql::statement::statement;

statement! {
    for Pg;
    SetReceiving<'a> { log_id: Uuid => SqlUuid, note: &'a str => Text },
    "UPDATE event_log SET log_id = ?, state = 'receiving', note = ? WHERE state = 'open'"
}

statement! {
    for Pg;
    SetReceivingAgain<'a> { note: &'a str => Text, frozen: &'a str => Text },
    "UPDATE event_log SET state = 'receiving', note = ? WHERE state = 'frozen' AND note = ?"
}

statement! {
    for Pg;
    SetOpen,
    "UPDATE event_log SET state = 'open', note = NULL"
}

statement! {
    for Pg;
    SetEmpty { log_id: Uuid => SqlUuid },
    "UPDATE event_log SET log_id = ?, counted_position = 0, published_position = NULL"
}

statement! {
    for Pg;
    RaiseSequence { position: i64 => BigInt },
    "SELECT setval(event_store_sequence(), GREATEST(?, event_store_given_position()))"
}

statement! {
    for Pg;
    RaiseCount { position: i64 => BigInt },
    "UPDATE event_log SET counted_position = GREATEST(counted_position, ?)"
}

impl Receive for Postgres<'_, PgConnection> {
    fn close(&mut self, log_id: Uuid, note: &str) -> QueryResult<bool> {
        self.0.batch_execute("LOCK TABLE events IN SHARE ROW EXCLUSIVE MODE")?;
        let is_closed = SetReceiving { log_id, note }.execute(self.0)? > 0;
        if is_closed {
            self.0.batch_execute(&refuse_inserts(LogState::Receiving, note))?;
        }
        Ok(is_closed)
    }

    fn close_again(&mut self, frozen: &str, note: &str) -> QueryResult<bool> {
        now(refuse_foreign(self.0))?;
        self.0.transaction(|conn| {
            conn.batch_execute(WAIT_BRIEFLY)?;
            conn.batch_execute("LOCK TABLE events IN ACCESS EXCLUSIVE MODE")?; // as DROP TRIGGER does
            let is_frozen = SetReceivingAgain { note, frozen }.execute(conn)? > 0;
            if is_frozen {
                conn.batch_execute(ALLOW_INSERTS)?;
                conn.batch_execute(&refuse_inserts(LogState::Receiving, note))?;
            }
            Ok(is_frozen)
        })
    }

    fn receive(&mut self, events: &[RecordedEvent]) -> QueryResult<()> {
        self.0.batch_execute("ALTER TABLE events DISABLE TRIGGER events_refuse_insert")?;
        self.insert_recorded(events)?;
        self.0.batch_execute(ENABLE_REFUSAL)
    }

    fn insert_recorded(&mut self, events: &[RecordedEvent]) -> QueryResult<()> {
        diesel::copy_from(events::table)
            .from_raw_data(events::table, |out| copy(out, events))
            .with_format(CopyFormat::Text)
            .execute(self.0)
            .map(drop)
    }

    fn receive_key(&mut self, key: &NewKey<'_>) -> QueryResult<()> {
        now(use_key(self.0, key)).map(drop)
    }

    fn go_on_above(&mut self, position: Position) -> QueryResult<()> {
        if position > Position::START {
            RaiseSequence { position: position.get() }.execute(self.0)?;
        }
        RaiseCount { position: position.get() }.execute(self.0).map(drop)
    }

    /// Until the server has looked at the new rows, it plans as if few lay above a position. By itself it does
    /// so only some time later.
    fn open(&mut self) -> QueryResult<()> {
        self.0.batch_execute(WAIT_BRIEFLY)?;
        self.0.batch_execute(ALLOW_INSERTS)?;
        self.0.batch_execute("ANALYZE events")?;
        SetOpen.execute(self.0).map(drop)
    }

    fn discard(&mut self, log_id: Uuid) -> QueryResult<()> {
        now(refuse_foreign(self.0))?;
        self.0.transaction(|conn| {
            conn.batch_execute(
                "ALTER TABLE events DISABLE TRIGGER events_refuse_change; \
                 ALTER TABLE event_rewrites DISABLE TRIGGER event_rewrites_refuse_change; \
                 TRUNCATE events, event_rewrites, aggregate_heads, append_keys, snapshots, \
                 projection_checkpoints, projection_workers, parked_events \
                 RESTART IDENTITY; \
                 ALTER TABLE event_rewrites ENABLE TRIGGER event_rewrites_refuse_change; \
                 ALTER TABLE events ENABLE TRIGGER events_refuse_change",
            )?;
            SetEmpty { log_id }.execute(conn)?;
            Postgres(conn).open()
        })
    }

    fn begin_snapshot(&mut self) -> QueryResult<()> {
        now(refuse_foreign(self.0))?;
        blocking::begin(self.0, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").map(drop)
    }

    fn end_snapshot(&mut self) -> QueryResult<()> {
        blocking::commit(self.0)
    }
}

fn copy(out: &mut dyn Write, events: &[RecordedEvent]) -> QueryResult<()> {
    let mut line = String::new();
    for event in events {
        line.clear();
        write_row(&mut line, event).map_err(|error| Error::SerializationError(error.into()))?;
        out.write_all(line.as_bytes()).map_err(|error| Error::SerializationError(error.into()))?;
    }
    Ok(())
}

/// As COPY's text format wants it.
fn write_row(row: &mut String, event: &RecordedEvent) -> fmt::Result {
    let content = &event.content;
    write!(row, "{}", event.position)?;
    push(row, Some(event.stream.tenant_column()));
    push(row, Some(event.stream.aggregate_type()));
    push(row, Some(event.stream.aggregate_id()));
    write!(row, "\t{}\t{}", event.version, content.event_id)?;
    push(row, Some(&content.event_type));
    write!(row, "\t{}", content.event_version)?;
    push(row, Some(content.payload.as_str()));
    push(row, content.metadata.as_ref().map(Json::as_str));
    push(row, content.trace_id.as_deref());
    push(row, content.correlation_id.as_deref());
    push(row, content.causation_id.as_deref());
    writeln!(row, "\t{}", event.created_at.to_rfc3339_opts(SecondsFormat::Micros, true))
}

fn push(row: &mut String, text: Option<&str>) {
    row.push('\t');
    let Some(mut text) = text else { return row.push_str("\\N") };
    while let Some(at) = text.find(['\\', '\n', '\r', '\t']) {
        row.push_str(&text[..at]);
        row.push_str(match text.as_bytes()[at] {
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            _ => "\\t",
        });
        text = &text[at + 1..];
    }
    row.push_str(text);
}
