//! The statements on `append_keys`.

use chrono::{DateTime, Utc};
use diesel::deserialize;
use diesel::expression::QueryMetadata;
use diesel::result::QueryResult;
use diesel::row::Row;
use diesel::sql_types::BigInt;
#[cfg(any(feature = "sqlite", feature = "_postgres"))]
use uuid::Uuid;

use crate::model::append_key::KeyedAppend;
#[cfg(any(feature = "sqlite", feature = "_postgres"))]
use crate::model::append_key::NewKey;
use crate::model::timestamp::within_range;
use crate::storage::executor::Executor;
use crate::storage::keys::Keys;
use crate::storage::lent::{BackendOf, Lent};
#[cfg(any(feature = "sqlite", feature = "_postgres"))]
use crate::storage::refused::Refused;
use crate::storage::sql::dialect::{Dialect, Id};
use crate::storage::sql::row::{Columns, value};
use crate::storage::sql::rows::{FromRow, Stored};
use crate::storage::sql::statement::statement;

statement! {
    for every database;
    SelectKey<'a> { tenant_id: &'a str => bind_tenant, key: &'a str => bind_text } -> (BigInt, Id, BigInt),
    "SELECT fingerprint, first_event_id, event_count FROM append_keys \
     WHERE tenant_id = ? AND idempotency_key = ?{as_they_are}"
}

statement! {
    for every database;
    DeleteKeysBefore { time: DateTime<Utc> => bind_time },
    "DELETE FROM append_keys WHERE created_at < ?"
}

#[cfg(any(feature = "sqlite", feature = "_postgres"))]
statement! {
    for every database;
    /// SELECT and not VALUES for the sake of SQLite, which then keeps a journal for the statement alone; and
    /// its parser wants a WHERE before ON CONFLICT.
    InsertKey<'a> {
        tenant_id: &'a str => bind_tenant,
        key: &'a str => bind_text,
        fingerprint: i64 => bind_long,
        first_event_id: Uuid => bind_id,
        event_count: i64 => bind_long,
        created_at: DateTime<Utc> => bind_time,
    },
    "INSERT INTO append_keys \
     (tenant_id, idempotency_key, fingerprint, first_event_id, event_count, created_at) \
     SELECT ?, ?, ?, ?, ?, ? WHERE true {or_nothing}"
}

impl<DB: Columns> FromRow<DB> for KeyedAppend {
    fn from_row<'r>(row: &impl Row<'r, DB>) -> deserialize::Result<Self> {
        Ok(Self {
            fingerprint: value(row, 0, DB::long)?,
            first_event_id: value(row, 1, DB::id)?,
            event_count: value(row, 2, DB::long)?,
        })
    }
}

/// How often the key can come free in between before that is taken for a trigger that keeps it out.
#[cfg(any(feature = "sqlite", feature = "_postgres"))]
const MOST_TIMES_FREE: u32 = 1000;

/// Uses the key, or returns what it was used for. Waits for another append that uses it at the moment. If
/// that is rolled back, or the key is deleted, it is free again.
#[cfg(any(feature = "sqlite", feature = "_postgres"))]
pub(crate) async fn use_key<C>(conn: &mut C, key: &NewKey<'_>) -> QueryResult<Option<KeyedAppend>>
where
    C: Executor,
    C::Backend: Dialect + QueryMetadata<(BigInt, Id, BigInt)>,
{
    for _ in 0..MOST_TIMES_FREE {
        if conn.execute(insert_key(key)).await? > 0 {
            return Ok(None);
        }
        let used = select_key(conn, key.tenant_id, key.key).await?;
        if used.is_some() {
            return Ok(used);
        }
    }
    Err(Refused::dropped_by_trigger("the idempotency key"))
}

#[cfg(any(feature = "sqlite", feature = "_postgres"))]
fn insert_key<'a>(key: &NewKey<'a>) -> InsertKey<'a> {
    InsertKey {
        tenant_id: key.tenant_id,
        key: key.key,
        fingerprint: key.append.fingerprint,
        first_event_id: key.append.first_event_id,
        event_count: key.append.event_count,
        created_at: key.now,
    }
}

async fn select_key<C>(conn: &mut C, tenant_id: &str, key: &str) -> QueryResult<Option<KeyedAppend>>
where
    C: Executor,
    C::Backend: Dialect + QueryMetadata<(BigInt, Id, BigInt)>,
{
    Ok(conn.load(SelectKey { tenant_id, key }, Stored::default()).await?.pop())
}

impl<L> Keys for L
where
    L: Lent,
    BackendOf<L>: Dialect + QueryMetadata<(BigInt, Id, BigInt)>,
{
    async fn keyed_append(&mut self, tenant_id: &str, key: &str) -> QueryResult<Option<KeyedAppend>> {
        select_key(self.connection(), tenant_id, key).await
    }

    async fn delete_keys_before(&mut self, time: DateTime<Utc>) -> QueryResult<usize> {
        self.connection().execute(DeleteKeysBefore { time: within_range(time) }).await
    }
}
