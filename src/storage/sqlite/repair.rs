use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel::sqlite::Sqlite;
use uuid::Uuid;

use super::freeze::REFUSE_INSERT;
use super::read::last_position;
use super::text::time_text;
use super::transactions::all_or_nothing;
use crate::model::log_state::LOST_NOTE;
use crate::model::repaired::Repaired;
use crate::model::timestamp;
use crate::storage::error::DatabaseError;
use crate::storage::lent;
use crate::storage::repair::Repair;
use crate::storage::sql::statement::statement;

statement! {
    for Sqlite;
    /// Sets the heads that are not at the version of their last event. SQLite's parser wants a WHERE before
    /// ON CONFLICT.
    SetHeads<'a> { now: &'a str => Text },
    "INSERT INTO aggregate_heads (tenant_id, aggregate_type, aggregate_id, aggregate_version, updated_at) \
     SELECT tenant_id, aggregate_type, aggregate_id, MAX(aggregate_version), ? FROM events WHERE true \
     GROUP BY tenant_id, aggregate_type, aggregate_id \
     ON CONFLICT (tenant_id, aggregate_type, aggregate_id) DO UPDATE \
     SET aggregate_version = excluded.aggregate_version, updated_at = excluded.updated_at \
     WHERE aggregate_version <> excluded.aggregate_version"
}

statement! {
    for Sqlite;
    /// AUTOINCREMENT's own count, which alone remembers positions of events that were removed. At the highest
    /// position there is, it remembers nothing.
    SetCounted,
    "UPDATE sqlite_sequence SET seq = (SELECT coalesce(max(global_position), 0) FROM events) \
     WHERE name = 'events' AND (seq < (SELECT max(global_position) FROM events) \
     OR seq = 9223372036854775807 AND NOT EXISTS (SELECT * FROM events WHERE global_position = seq))"
}

statement! {
    for Sqlite;
    /// The row of `event_log`, after it was lost, with the state that the trigger speaks of. What else it said
    /// is gone.
    InsertLog<'a> { log_id: &'a str => Text, note: &'a str => Text, trigger: &'a str => Text },
    "INSERT INTO event_log (id, log_id, state, note) \
     SELECT 1, ?, coalesce(closed.state, 'open'), closed.note FROM (SELECT 1) LEFT JOIN \
     (SELECT CASE WHEN sql LIKE '%this event log is receiving%' THEN 'receiving' ELSE 'frozen' END AS state, \
     ? AS note FROM sqlite_schema WHERE type = 'trigger' AND name = ?) AS closed ON true \
     WHERE NOT EXISTS (SELECT * FROM event_log)"
}

impl Repair for lent::Sqlite<'_> {
    async fn repair(&mut self) -> QueryResult<Repaired> {
        all_or_nothing(self.0, repair).map_err(DatabaseError::into_diesel_error)
    }
}

fn repair(conn: &mut SqliteConnection) -> Result<Repaired, DatabaseError> {
    let heads = SetHeads { now: &time_text(timestamp::now()) }.execute(conn)?;
    let log_id = Uuid::now_v7().to_string();
    let insert = InsertLog { log_id: &log_id, note: LOST_NOTE, trigger: REFUSE_INSERT };
    let is_new = insert.execute(conn)? > 0;
    let is_counted = SetCounted.execute(conn)? > 0 || is_new;
    let counted = if is_counted { Some(last_position(conn)?) } else { None };
    Ok(Repaired { counted, published: None, heads: heads as u64 })
}
