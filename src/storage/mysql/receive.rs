//! An import. Appends read under their lock in `event_fence` that the log is closed, so there is no trigger
//! to be passed by.

use diesel::connection::SimpleConnection;
use diesel::mysql::{Mysql, MysqlConnection};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use uuid::Uuid;

use super::freeze::{ALLOW_INSERTS, WAIT_AS_BEFORE, WAIT_BRIEFLY, is_frozen_with, settle};
use super::insert::{ENOUGH_BYTES, EventRow, InsertEvents, rows_together};
use super::keys::use_key;
use super::repair::next_position;
use crate::model::append_key::NewKey;
use crate::model::event::RecordedEvent;
use crate::model::log_state::LogState;
use crate::model::position::Position;
use crate::storage::blocking;
use crate::storage::executor::Executor;
use crate::storage::lent;
use crate::storage::log_state::LogStates;
use crate::storage::now::now;
use crate::storage::read::Read;
use crate::storage::receive::Receive;
use crate::storage::sql::statement::statement;

statement! {
    for Mysql;
    /// Waits for every append that is under way: each holds one of the rows.
    SetFence<'a> { state: &'a str => Text },
    "UPDATE event_fence SET state = ? WHERE slot IN (0, 1)"
}

statement! {
    for Mysql;
    SetReceiving<'a> { log_id: &'a str => Text, note: &'a str => Text },
    "UPDATE event_log SET log_id = ?, state = 'receiving', note = ? WHERE id = 1 AND state = 'open'"
}

statement! {
    for Mysql;
    SetReceivingAgain<'a> { note: &'a str => Text, frozen: &'a str => Text },
    "UPDATE event_log SET state = 'receiving', note = ? WHERE id = 1 AND state = 'frozen' AND note = ?"
}

statement! {
    for Mysql;
    SetOpen,
    "UPDATE event_log SET state = 'open', note = NULL WHERE id = 1"
}

statement! {
    for Mysql;
    SetEmpty<'a> { log_id: &'a str => Text },
    "UPDATE event_log SET log_id = ?, draining_position = 0, safe_position = 0, last_position = 0 WHERE id = 1"
}

statement! {
    for Mysql;
    RaiseCount { position: i64 => BigInt },
    "UPDATE event_log SET last_position = GREATEST(last_position, ?) WHERE id = 1"
}

impl Receive for lent::Mysql<'_, MysqlConnection> {
    fn close(&mut self, log_id: Uuid, note: &str) -> QueryResult<bool> {
        SetFence { state: "receiving" }.execute(self.0)?;
        Ok(SetReceiving { log_id: &log_id.to_string(), note }.execute(self.0)? > 0)
    }

    fn close_again(&mut self, frozen: &str, note: &str) -> QueryResult<bool> {
        self.0.batch_execute(WAIT_BRIEFLY)?;
        let closed = close_again(self.0, frozen, note);
        let restored = self.0.batch_execute(WAIT_AS_BEFORE);
        closed.and_then(|is_closed| restored.map(|()| is_closed))
    }

    fn receive(&mut self, events: &[RecordedEvent]) -> QueryResult<()> {
        now(insert_recorded(self.0, events))
    }

    fn insert_recorded(&mut self, events: &[RecordedEvent]) -> QueryResult<()> {
        now(insert_recorded(self.0, events))
    }

    fn receive_key(&mut self, key: &NewKey<'_>) -> QueryResult<()> {
        now(use_key(self.0, key)).map(drop)
    }

    /// AUTO_INCREMENT is behind the last event already.
    fn go_on_above(&mut self, position: Position) -> QueryResult<()> {
        let is_behind = position > now(self.last_committed_position())?;
        self.0.transaction(|conn| {
            if is_behind {
                now(next_position(conn, Some(position.get())))?;
            }
            RaiseCount { position: position.get() }.execute(conn).map(drop)
        })
    }

    fn open(&mut self) -> QueryResult<()> {
        SetFence { state: "open" }.execute(self.0)?;
        SetOpen.execute(self.0).map(drop)
    }

    /// TRUNCATE fires no triggers. It commits, so the log is opened last.
    fn discard(&mut self, log_id: Uuid) -> QueryResult<()> {
        for table in [
            "events",
            "event_rewrites",
            "aggregate_heads",
            "append_keys",
            "snapshots",
            "projection_checkpoints",
            "projection_workers",
            "parked_events",
        ] {
            self.0.batch_execute(&format!("TRUNCATE TABLE {table}"))?;
        }
        self.0.transaction(|conn| {
            SetEmpty { log_id: &log_id.to_string() }.execute(conn)?;
            lent::Mysql(conn).open()
        })
    }

    fn begin_snapshot(&mut self) -> QueryResult<()> {
        let begin = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; START TRANSACTION";
        blocking::begin(self.0, begin).map(drop)
    }

    fn end_snapshot(&mut self) -> QueryResult<()> {
        blocking::commit(self.0)
    }
}

/// To drop the trigger commits, so it comes first.
fn close_again(conn: &mut MysqlConnection, frozen: &str, note: &str) -> QueryResult<bool> {
    if now(is_frozen_with(conn, frozen))? {
        conn.batch_execute(ALLOW_INSERTS)?;
        conn.transaction(|conn| match (SetReceivingAgain { note, frozen }).execute(conn)? {
            0 => Ok(()),
            _ => SetFence { state: "receiving" }.execute(conn).map(drop),
        })?;
    }
    now(settle(conn))?;
    let log = now(lent::Mysql(conn).log_row())?;
    Ok(log.state == LogState::Receiving && log.note.as_deref() == Some(note))
}

async fn insert_recorded(conn: &mut MysqlConnection, events: &[RecordedEvent]) -> QueryResult<()> {
    let rows: Vec<_> = events.iter().map(placed_row).collect();
    let mut rows = &*rows;
    while !rows.is_empty() {
        let (together, rest) = rows.split_at(rows_together(rows, ENOUGH_BYTES));
        Executor::execute(conn, InsertEvents(together)).await?;
        rows = rest;
    }
    Ok(())
}

fn placed_row(event: &RecordedEvent) -> EventRow<'_> {
    let mut row = EventRow::of(&event.stream, event.version, &event.content, event.created_at);
    row.global_position = Some(event.position.get());
    row
}
