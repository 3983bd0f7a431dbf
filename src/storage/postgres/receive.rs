//! An import. The trigger that keeps others out is disabled and enabled again within one transaction, which
//! has a lock that keeps them out meanwhile.

use std::io::{self, BufWriter, Write};

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

/// The server need not wait for the disk: after a crash, the events and the note that counts them are both there
/// or both gone, and the import goes on from there. The commit after the last batch, which completes the note,
/// waits for all of them.
const RECEIVE_BATCH: &str = "SET LOCAL synchronous_commit = off; \
                             ALTER TABLE events DISABLE TRIGGER events_refuse_insert";

/// Only what the plans depend on: of the columns with JSON it would take as long as of all others together.
const ANALYZE: &str = "ANALYZE events (global_position, tenant_id, aggregate_type, aggregate_id, \
                       aggregate_version, event_type, correlation_id)";

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
        self.0.batch_execute(RECEIVE_BATCH)?;
        self.insert_recorded(events)?;
        self.0.batch_execute(ENABLE_REFUSAL)
    }

    fn insert_recorded(&mut self, events: &[RecordedEvent]) -> QueryResult<()> {
        diesel::copy_from(events::table)
            .from_raw_data(events::table, |out| {
                copy(out, events).map_err(|error| Error::SerializationError(error.into()))
            })
            .with_format(CopyFormat::Binary)
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
        self.0.batch_execute(ANALYZE)?;
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

/// In the binary format: neither side has to make texts of numbers, ids and times.
fn copy(out: &mut dyn Write, events: &[RecordedEvent]) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(CHUNK, out);
    out.write_all(BEGINNING)?;
    events.iter().try_for_each(|event| write_row(&mut out, event))?;
    out.write_all(&END)?;
    out.flush()
}

/// What is sent together.
const CHUNK: usize = 64 << 10;

/// The signature, no flags, no extension.
const BEGINNING: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

const COLUMNS: i16 = 14;

/// Instead of a number of columns.
const END: [u8; 2] = (-1_i16).to_be_bytes();

/// Instead of a length.
const NULL: [u8; 4] = (-1_i32).to_be_bytes();

/// PostgreSQL counts microseconds from the beginning of the year 2000.
const EPOCH_MICROS: i64 = 946_684_800_000_000;

fn write_row(out: &mut impl Write, event: &RecordedEvent) -> io::Result<()> {
    let RecordedEvent { position, stream, version, content, created_at } = event;
    out.write_all(&COLUMNS.to_be_bytes())?;
    write(out, &position.get().to_be_bytes())?;
    write(out, stream.tenant_column().as_bytes())?;
    write(out, stream.aggregate_type().as_bytes())?;
    write(out, stream.aggregate_id().as_bytes())?;
    write(out, &version.to_be_bytes())?;
    write(out, content.event_id.as_bytes())?;
    write(out, content.event_type.as_bytes())?;
    write(out, &content.event_version.to_be_bytes())?;
    write(out, content.payload.as_str().as_bytes())?;
    write_text(out, content.metadata.as_ref().map(Json::as_str))?;
    write_text(out, content.trace_id.as_deref())?;
    write_text(out, content.correlation_id.as_deref())?;
    write_text(out, content.causation_id.as_deref())?;
    write(out, &(created_at.timestamp_micros() - EPOCH_MICROS).to_be_bytes())
}

fn write_text(out: &mut impl Write, text: Option<&str>) -> io::Result<()> {
    match text {
        Some(text) => write(out, text.as_bytes()),
        None => out.write_all(&NULL),
    }
}

fn write(out: &mut impl Write, value: &[u8]) -> io::Result<()> {
    let length = i32::try_from(value.len()).map_err(io::Error::other)?;
    out.write_all(&length.to_be_bytes())?;
    out.write_all(value)
}
