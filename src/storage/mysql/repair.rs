use chrono::{DateTime, Utc};
use diesel::mysql::Mysql;
use diesel::prelude::ExpressionMethods;
use diesel::result::QueryResult;
use diesel::sql_types::BigInt;

use super::all_or_nothing::{Work, all_or_nothing};
use crate::model::position::Position;
use crate::model::repaired::Repaired;
use crate::model::timestamp;
use crate::schema::mysql::event_fence;
use crate::storage::error::DatabaseError;
use crate::storage::executor::Executor;
use crate::storage::lent;
use crate::storage::repair::Repair;
use crate::storage::server::Server;
use crate::storage::sql::dialect::Time;
use crate::storage::sql::statement::statement;

statement! {
    for Mysql;
    /// How many heads are not at the version of their last event. MySQL counts an update twice, so they are
    /// counted before.
    CountHeads -> BigInt,
    "SELECT COUNT(*) FROM (SELECT aggregate_type, aggregate_id, MAX(aggregate_version) AS last FROM events \
     GROUP BY aggregate_type, aggregate_id) AS stream \
     LEFT JOIN aggregate_heads AS head USING (aggregate_type, aggregate_id) \
     WHERE head.aggregate_version IS NULL OR head.aggregate_version <> stream.last"
}

statement! {
    for Mysql;
    SetHeads { now: DateTime<Utc> => Time },
    "INSERT INTO aggregate_heads (aggregate_type, aggregate_id, aggregate_version, updated_at) \
     SELECT aggregate_type, aggregate_id, last, ? FROM \
     (SELECT aggregate_type, aggregate_id, MAX(aggregate_version) AS last FROM events \
     GROUP BY aggregate_type, aggregate_id) AS stream \
     ON DUPLICATE KEY UPDATE aggregate_version = stream.last"
}

statement! {
    for Mysql;
    LastPosition -> BigInt,
    "SELECT COALESCE(MAX(global_position), 0) FROM events"
}

statement! {
    for Mysql;
    SetCounted { last: i64 => BigInt, again_last: i64 => BigInt },
    "UPDATE event_log SET last_position = ? WHERE id = 1 AND last_position < ? \
     AND (SELECT ordering FROM event_fence WHERE slot = 0) = 'gapless'"
}

impl<C: Server<Backend = Mysql>> Repair for lent::Mysql<'_, C> {
    async fn repair(&mut self) -> QueryResult<Repaired> {
        all_or_nothing(self.0, FromEvents).await.map_err(DatabaseError::into_diesel_error)
    }
}

struct FromEvents;

impl<C: Executor<Backend = Mysql>> Work<C> for FromEvents {
    type Output = Repaired;
    type Error = DatabaseError;

    /// Every append that is under way holds one of the two rows until it ends.
    async fn run(&self, conn: &mut C) -> Result<Repaired, DatabaseError> {
        conn.execute(diesel::update(event_fence::table).set(event_fence::slot.eq(event_fence::slot))).await?;
        let last: i64 = conn.row(LastPosition).await?;
        let heads: i64 = conn.row(CountHeads).await?;
        if heads > 0 {
            conn.execute(SetHeads { now: timestamp::now() }).await?;
        }
        let is_counted = conn.execute(SetCounted { last, again_last: last }).await? > 0;
        let counted = is_counted.then(|| Position::stored(last));
        Ok(Repaired { counted, published: None, heads: heads.unsigned_abs() })
    }
}
