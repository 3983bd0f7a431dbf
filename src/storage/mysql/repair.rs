use chrono::{DateTime, Utc};
use diesel::mysql::Mysql;
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::all_or_nothing::{Work, all_or_nothing};
use super::fence::last_insert_id;
use super::freeze::CountTriggers;
use super::galera::is_galera;
use super::guards::current;
use super::outside::is_outside_transactions;
use crate::model::log_state::{LOST_NOTE, LogState};
use crate::model::position::Position;
use crate::model::repaired::Repaired;
use crate::model::timestamp;
use crate::storage::error::DatabaseError;
use crate::storage::error_kind::DatabaseErrorKind;
use crate::storage::lent;
use crate::storage::refused::Refused;
use crate::storage::repair::Repair;
use crate::storage::scope::Scope;
use crate::storage::server::Server;
use crate::storage::sql::dialect::Time;
use crate::storage::sql::statement::statement;

/// How many heads are not at the version of their last event. MySQL counts an update twice, so they are counted
/// before.
macro_rules! count_heads {
    ($lock:literal) => {
        concat!(
            "SELECT COUNT(*) FROM \
             (SELECT tenant_id, aggregate_type, aggregate_id, MAX(aggregate_version) AS last FROM events \
             GROUP BY tenant_id, aggregate_type, aggregate_id",
            $lock,
            ") AS stream LEFT JOIN aggregate_heads AS head USING (tenant_id, aggregate_type, aggregate_id) \
             WHERE head.aggregate_version IS NULL OR head.aggregate_version <> stream.last",
            $lock
        )
    };
}

statement! {
    for Mysql;
    CountHeads -> BigInt,
    count_heads!("")
}

statement! {
    for Mysql;
    /// Also where the application's transaction has an older snapshot. An append that has moved its head, and
    /// waits for the fence, stands in the way of these locks.
    CountHeadsNow -> BigInt,
    current!(count_heads!(" LOCK IN SHARE MODE"))
}

statement! {
    for Mysql;
    /// It reads what is committed now, like every statement that writes.
    SetHeads { now: DateTime<Utc> => Time },
    current!(
        "INSERT INTO aggregate_heads (tenant_id, aggregate_type, aggregate_id, aggregate_version, updated_at) \
         SELECT tenant_id, aggregate_type, aggregate_id, last, ? FROM \
         (SELECT tenant_id, aggregate_type, aggregate_id, MAX(aggregate_version) AS last FROM events \
         GROUP BY tenant_id, aggregate_type, aggregate_id) AS stream \
         ON DUPLICATE KEY UPDATE aggregate_version = stream.last"
    )
}

statement! {
    for Mysql;
    /// The last position, and that which readers may have come to, as they are now.
    Look -> (BigInt, BigInt),
    current!(
        "SELECT (SELECT COALESCE(MAX(global_position), 0) FROM events LOCK IN SHARE MODE), \
         GREATEST(safe_position, draining_position) FROM event_log WHERE id = 1 LOCK IN SHARE MODE"
    )
}

statement! {
    for Mysql;
    ServerId -> BigInt,
    "SELECT CAST(@@server_id AS SIGNED)"
}

statement! {
    for Mysql;
    /// The rows of `event_fence` that were lost, like the one that is left. If both were lost, `event_log` has
    /// the state, and its count of positions tells the ordering: where they are fenced, it falls behind the
    /// events. Without an event since the ordering was changed, `fenced` is taken for `gapless`, which only makes
    /// appends wait for each other.
    InsertSlots<'a> { is_galera: i64 => BigInt, state: &'a str => Text, server_id: i64 => BigInt },
    current!(
        "INSERT INTO event_fence (slot, ordering, state, server_id) \
         SELECT lost.slot, COALESCE(other.ordering, IF(? OR log.last_position > 0 \
         AND log.last_position >= (SELECT COALESCE(MAX(global_position), 0) FROM events), 'gapless', 'fenced')), \
         COALESCE(other.state, log.state, ?), ? FROM (SELECT 0 AS slot UNION ALL SELECT 1) AS lost \
         LEFT JOIN event_fence AS own ON own.slot = lost.slot \
         LEFT JOIN event_fence AS other ON other.slot = 1 - lost.slot \
         LEFT JOIN event_log AS log ON log.id = 1 WHERE own.slot IS NULL FOR UPDATE"
    )
}

statement! {
    for Mysql;
    /// The row of `event_log`, after it was lost. What it said is gone, but for the state, and readers find
    /// out anew how far the log is complete.
    InsertLog<'a> { note: &'a str => Text },
    current!(
        "INSERT INTO event_log \
         (id, log_id, state, note, phase, draining_position, safe_position, last_position) \
         SELECT 1, UUID(), state, IF(state = 'open', NULL, ?), 0, 0, 0, \
         (SELECT COALESCE(MAX(global_position), 0) FROM events) \
         FROM event_fence WHERE slot = 0 AND NOT EXISTS (SELECT * FROM event_log)"
    )
}

statement! {
    for Mysql;
    SetServer { server_id: i64 => BigInt },
    current!("UPDATE event_fence SET server_id = ? WHERE slot IN (0, 1)")
}

statement! {
    for Mysql;
    SetCounted { last: i64 => BigInt, again_last: i64 => BigInt },
    current!(
        "UPDATE event_log SET last_position = ? WHERE id = 1 AND last_position < ? \
         AND (SELECT ordering FROM event_fence WHERE slot = 0) = 'gapless'"
    )
}

statement! {
    for Mysql;
    /// A row to be rolled back, of a stream that there cannot be. AUTO_INCREMENT goes on behind it all the same.
    TryPosition { position: Option<i64> => Nullable<BigInt> },
    "INSERT INTO events (global_position, aggregate_type, aggregate_id, aggregate_version, event_id, event_type, \
     event_version, payload, created_at) VALUES (?, X'', X'', 1, '-', '-', 1, '-', UTC_TIMESTAMP(6))"
}

statement! {
    for Mysql;
    /// Some dumps leave it out.
    LacksAutoIncrement -> BigInt,
    "SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() \
     AND table_name = 'events' AND column_name = 'global_position' AND extra NOT LIKE '%auto_increment%'"
}

const SET_AUTO_INCREMENT: &str = "ALTER TABLE events MODIFY global_position BIGINT NOT NULL AUTO_INCREMENT";

impl<C: Server<Backend = Mysql>> Repair for lent::Mysql<'_, C> {
    async fn repair(&mut self) -> QueryResult<Repaired> {
        let counts_again = count_again(self.0).await?;
        all_or_nothing(self.0, FromEvents { counts_again }).await.map_err(DatabaseError::into_diesel_error)
    }
}

/// Whether positions were not counted any more. To alter a table commits.
async fn count_again<C: Server<Backend = Mysql>>(conn: &mut C) -> QueryResult<bool> {
    if conn.row::<_, i64>(LacksAutoIncrement).await? == 0 {
        return Ok(false);
    }
    if !is_outside_transactions(conn).await? {
        let reason = "events.global_position has lost AUTO_INCREMENT, which is only given back outside of \
                      transactions";
        return Err(Refused::error(DatabaseErrorKind::NeedsRepair, reason));
    }
    conn.batch(SET_AUTO_INCREMENT).await?;
    Ok(true)
}

struct FromEvents {
    /// Whether AUTO_INCREMENT was given back.
    counts_again: bool,
}

impl<C: Server<Backend = Mysql>> Work<C> for FromEvents {
    type Output = Repaired;
    type Error = DatabaseError;

    /// Every append that is under way holds one of the two rows of `event_fence` until it ends. So both are
    /// written first.
    async fn run(&self, conn: &mut C, scope: Scope) -> Result<Repaired, DatabaseError> {
        let server_id = conn.row(ServerId).await?;
        conn.execute(SetServer { server_id }).await?;
        let slots = insert_slots(conn, server_id).await?;
        let is_new = conn.execute(InsertLog { note: LOST_NOTE }).await? + slots > 0 || self.counts_again;
        let heads = set_heads(conn, scope).await?;
        let (last, read): (i64, i64) = conn.row(Look).await?;
        let counted = set_counted(conn, last, read).await?.or(is_new.then(|| Position::stored(last)));
        Ok(Repaired { counted, published: None, heads })
    }
}

/// Without any row that says whether the log is closed, the trigger of a frozen one does.
async fn insert_slots<C: Server<Backend = Mysql>>(conn: &mut C, server_id: i64) -> QueryResult<usize> {
    let is_galera = i64::from(is_galera(conn).await?);
    let refuses_inserts = conn.row::<_, i64>(CountTriggers).await? > 0;
    let state = if refuses_inserts { LogState::Frozen } else { LogState::Open };
    conn.execute(InsertSlots { is_galera, state: state.name(), server_id }).await
}

async fn set_heads<C: Server<Backend = Mysql>>(conn: &mut C, scope: Scope) -> QueryResult<u64> {
    let heads: i64 = match scope {
        Scope::Transaction => conn.row(CountHeads).await?,
        Scope::Savepoint => conn.row(CountHeadsNow).await?,
    };
    if heads > 0 {
        conn.execute(SetHeads { now: timestamp::now() }).await?;
    }
    Ok(heads.unsigned_abs())
}

/// Has positions go on behind the last one, and behind that which readers may have come to: if the last
/// events were removed, or an older state of their table was restored.
async fn set_counted<C: Server<Backend = Mysql>>(
    conn: &mut C,
    last: i64,
    read: i64,
) -> QueryResult<Option<Position>> {
    if conn.execute(SetCounted { last, again_last: last }).await? > 0 {
        return Ok(Some(Position::stored(last)));
    }
    if read <= last || next_position(conn, None).await? > read {
        return Ok(None);
    }
    next_position(conn, Some(read)).await?;
    Ok(Some(Position::stored(read)))
}

/// What AUTO_INCREMENT gives out next, which is then behind that, or behind `position`.
pub(super) async fn next_position<C: Server<Backend = Mysql>>(
    conn: &mut C,
    position: Option<i64>,
) -> QueryResult<i64> {
    conn.batch("SAVEPOINT diesel_event_store").await?;
    conn.execute(TryPosition { position }).await?;
    let next = last_insert_id(conn).await;
    conn.batch("ROLLBACK TO SAVEPOINT diesel_event_store").await?;
    next
}
