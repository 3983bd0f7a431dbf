//! An import. The trigger that keeps others out is taken away and put back within one transaction, which has
//! the write lock.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Integer, Text};
use diesel::sqlite::Sqlite;
use uuid::Uuid;

use super::freeze::{REFUSE_INSERT, allow_inserts, refuse_inserts};
use super::insert::EventRow;
use super::text::time_text;
use super::transactions::all_or_nothing;
use crate::model::append_key::NewKey;
use crate::model::event::RecordedEvent;
use crate::model::log_state::LogState;
use crate::model::position::Position;
use crate::storage::blocking;
use crate::storage::error::DatabaseError;
use crate::storage::lent;
use crate::storage::now::now;
use crate::storage::receive::Receive;
use crate::storage::refused::Refused;
use crate::storage::sql::keys::use_key;
use crate::storage::sql::statement::statement;

statement! {
    for Sqlite;
    SetReceiving<'a> { log_id: &'a str => Text, note: &'a str => Text },
    "UPDATE event_log SET log_id = ?, state = 'receiving', note = ? WHERE id = 1 AND state = 'open'"
}

statement! {
    for Sqlite;
    SetReceivingAgain<'a> { note: &'a str => Text, frozen: &'a str => Text },
    "UPDATE event_log SET state = 'receiving', note = ? WHERE id = 1 AND state = 'frozen' AND note = ?"
}

statement! {
    for Sqlite;
    SetOpen,
    "UPDATE event_log SET state = 'open', note = NULL WHERE id = 1"
}

statement! {
    for Sqlite;
    SetLogId<'a> { log_id: &'a str => Text },
    "UPDATE event_log SET log_id = ? WHERE id = 1"
}

statement! {
    for Sqlite;
    SelectTrigger<'a> { name: &'a str => Text } -> Text,
    "SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND name = ?"
}

statement! {
    for Sqlite;
    RaiseCount { position: i64 => BigInt },
    "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'events'"
}

statement! {
    for Sqlite;
    CreateCount { position: i64 => BigInt },
    "INSERT INTO sqlite_sequence (name, seq) VALUES ('events', ?)"
}

/// Pages in the write-ahead log from which on a commit copies them into the database. Each time, the pages of
/// the indexes are copied that the next batch changes again.
const PAGES: i32 = 20_000;

impl Receive for lent::Sqlite<'_> {
    /// Not if the application has set more, or copies them itself.
    fn begin_filling(&mut self) -> QueryResult<Option<i32>> {
        let before = pages(self.0)?;
        let is_less = (1..PAGES).contains(&before);
        if is_less {
            set_pages(self.0, PAGES)?;
        }
        Ok(is_less.then_some(before))
    }

    fn end_filling(&mut self, before: i32) -> QueryResult<()> {
        set_pages(self.0, before)?;
        self.0.batch_execute("PRAGMA wal_checkpoint")
    }

    fn close(&mut self, log_id: Uuid, note: &str) -> QueryResult<bool> {
        let is_closed = SetReceiving { log_id: &log_id.to_string(), note }.execute(self.0)? > 0;
        if is_closed {
            refuse_inserts(self.0, LogState::Receiving, note)?;
        }
        Ok(is_closed)
    }

    fn close_again(&mut self, frozen: &str, note: &str) -> QueryResult<bool> {
        let closed = all_or_nothing(self.0, |conn| {
            let is_frozen = SetReceivingAgain { note, frozen }.execute(conn)? > 0;
            if is_frozen {
                allow_inserts(conn)?;
                refuse_inserts(conn, LogState::Receiving, note)?;
            }
            Ok(is_frozen)
        });
        closed.map_err(DatabaseError::into_diesel_error)
    }

    fn receive(&mut self, events: &[RecordedEvent]) -> QueryResult<()> {
        without_trigger(self.0, REFUSE_INSERT, |conn| insert_recorded(conn, events))
    }

    fn insert_recorded(&mut self, events: &[RecordedEvent]) -> QueryResult<()> {
        insert_recorded(self.0, events)
    }

    fn receive_key(&mut self, key: &NewKey<'_>) -> QueryResult<()> {
        now(use_key(self.0, key)).map(drop)
    }

    fn go_on_above(&mut self, position: Position) -> QueryResult<()> {
        if (RaiseCount { position: position.get() }).execute(self.0)? == 0 {
            CreateCount { position: position.get() }.execute(self.0)?;
        }
        Ok(())
    }

    fn open(&mut self) -> QueryResult<()> {
        SetOpen.execute(self.0)?;
        allow_inserts(self.0)
    }

    fn discard(&mut self, log_id: Uuid) -> QueryResult<()> {
        all_or_nothing(self.0, |conn| empty(conn, log_id)).map_err(DatabaseError::into_diesel_error)
    }

    fn begin_snapshot(&mut self) -> QueryResult<()> {
        blocking::begin(self.0, "BEGIN").map(drop)
    }

    fn end_snapshot(&mut self) -> QueryResult<()> {
        blocking::commit(self.0)
    }
}

fn pages(conn: &mut SqliteConnection) -> QueryResult<i32> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Integer)]
        wal_autocheckpoint: i32,
    }
    let row: Row = diesel::sql_query("PRAGMA wal_autocheckpoint").get_result(conn)?;
    Ok(row.wal_autocheckpoint)
}

fn set_pages(conn: &mut SqliteConnection, pages: i32) -> QueryResult<()> {
    conn.batch_execute(&format!("PRAGMA wal_autocheckpoint = {pages}"))
}

fn empty(conn: &mut SqliteConnection, log_id: Uuid) -> Result<(), DatabaseError> {
    without_trigger(conn, "event_rewrites_refuse_delete", |conn| {
        conn.batch_execute("DELETE FROM event_rewrites")
    })?;
    without_trigger(conn, "events_refuse_delete", |conn| {
        conn.batch_execute(
            "DELETE FROM events; DELETE FROM aggregate_heads; DELETE FROM append_keys; DELETE FROM snapshots; \
             DELETE FROM projection_checkpoints; \
             DELETE FROM projection_workers; DELETE FROM parked_events; \
             DELETE FROM sqlite_sequence WHERE name = 'events'",
        )
    })?;
    SetLogId { log_id: &log_id.to_string() }.execute(conn)?;
    Ok(lent::Sqlite(conn).open()?)
}

/// The trigger is made again as it was.
fn without_trigger(
    conn: &mut SqliteConnection,
    name: &str,
    work: impl FnOnce(&mut SqliteConnection) -> QueryResult<()>,
) -> QueryResult<()> {
    let create: String = SelectTrigger { name }.get_result(conn)?;
    conn.batch_execute(&format!("DROP TRIGGER {name}"))?;
    work(conn)?;
    conn.batch_execute(&create)
}

/// Inserts events that are recorded elsewhere, at their positions.
fn insert_recorded(conn: &mut SqliteConnection, events: &[RecordedEvent]) -> QueryResult<()> {
    for event in events {
        Refused::unless_all(1, InsertPlaced::new(event).execute(conn)?)?;
    }
    Ok(())
}

/// One row and VALUES, for which SQLite keeps no journal of the statement: with many rows it writes every page
/// that the statement changes there first, which takes longer than everything else. If it fails, the
/// transaction is rolled back anyway.
struct InsertPlaced<'a> {
    position: i64,
    row: EventRow<'a>,
}

impl<'a> InsertPlaced<'a> {
    fn new(event: &'a RecordedEvent) -> Self {
        let created_at = time_text(event.created_at).into();
        let row = EventRow::of(&event.stream, event.version, &event.content, created_at);
        Self { position: event.position.get(), row }
    }
}

impl QueryFragment<Sqlite> for InsertPlaced<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(
            "INSERT INTO events (global_position, tenant_id, aggregate_type, aggregate_id, aggregate_version, \
             event_id, event_type, event_version, payload, metadata, trace_id, correlation_id, causation_id, \
             created_at) VALUES (",
        );
        out.push_bind_param::<BigInt, _>(&self.position)?;
        out.push_sql(", ");
        self.row.walk(&mut out)?;
        out.push_sql(")");
        Ok(())
    }
}

impl QueryId for InsertPlaced<'_> {
    type QueryId = InsertPlaced<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<C> RunQueryDsl<C> for InsertPlaced<'_> {}
