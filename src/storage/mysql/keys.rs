//! How an append uses its idempotency key.

use chrono::{DateTime, Utc};
use diesel::mysql::Mysql;
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Text};
use uuid::Uuid;

use super::fence::last_insert_id;
use super::guards::{current, inside};
use super::tenant::tenant;
use crate::model::append_key::{KeyedAppend, NewKey};
use crate::storage::error_kind::DatabaseErrorKind;
use crate::storage::executor::Executor;
use crate::storage::refused::Refused;
use crate::storage::sql::dialect::{Id, Time};
use crate::storage::sql::rows::Stored;
use crate::storage::sql::statement::statement;

statement! {
    for Mysql;
    /// Keeps in LAST_INSERT_ID how many events a key was used for that is there already: the number of
    /// affected rows does not tell.
    InsertKey<'a> {
        tenant_id: &'a str => Text,
        key: &'a str => Text,
        fingerprint: i64 => BigInt,
        first_event_id: Uuid => Id,
        event_count: i64 => BigInt,
        created_at: DateTime<Utc> => Time,
    },
    current!(
        "INSERT INTO append_keys \
         (tenant_id, idempotency_key, fingerprint, first_event_id, event_count, created_at) VALUES (",
        tenant!(),
        ", ?, ?, ?, ",
        inside!("LAST_INSERT_ID(0) + ?"),
        ", ?) ON DUPLICATE KEY UPDATE event_count = LAST_INSERT_ID(event_count)"
    )
}

statement! {
    for Mysql;
    /// Also where an older snapshot of the application's transaction does not have it.
    SelectKeyNow<'a> { tenant_id: &'a str => Text, key: &'a str => Text } -> (BigInt, Id, BigInt),
    current!(
        "SELECT fingerprint, first_event_id, event_count FROM append_keys WHERE tenant_id = ",
        tenant!(),
        " AND idempotency_key = ? LOCK IN SHARE MODE"
    )
}

statement! {
    for Mysql;
    SelectEvent { event_id: Uuid => Id } -> BigInt,
    "SELECT global_position FROM events WHERE event_id = ?"
}

statement! {
    for Mysql;
    SelectEventNow { event_id: Uuid => Id } -> BigInt,
    current!("SELECT global_position FROM events WHERE event_id = ? LOCK IN SHARE MODE")
}

/// Uses the key, or returns what it was used for. Waits for another append that uses it at the moment.
pub(super) async fn use_key<C>(conn: &mut C, new: &NewKey<'_>) -> QueryResult<Option<KeyedAppend>>
where
    C: Executor<Backend = Mysql>,
{
    let &NewKey { tenant_id, key, append, now } = new;
    let KeyedAppend { fingerprint, first_event_id, event_count } = append;
    let insert = InsertKey { tenant_id, key, fingerprint, first_event_id, event_count, created_at: now };
    conn.execute(insert).await?;
    if last_insert_id(conn).await? == 0 {
        return Ok(None);
    }
    let used = conn.load(SelectKeyNow { tenant_id, key }, Stored::default()).await?.pop();
    if let Some(KeyedAppend { first_event_id, .. }) = used {
        refuse_unseen(conn, first_event_id).await?;
    }
    Ok(used)
}

/// A transaction whose snapshot is older than the event could not return it, and must not take it for erased.
async fn refuse_unseen<C>(conn: &mut C, event_id: Uuid) -> QueryResult<()>
where
    C: Executor<Backend = Mysql>,
{
    let seen: Option<i64> = conn.optional_row(SelectEvent { event_id }).await?;
    let there: Option<i64> = match seen {
        Some(_) => return Ok(()),
        None => conn.optional_row(SelectEventNow { event_id }).await?,
    };
    there.map_or(Ok(()), |_| {
        let reason = "the idempotency key was used since the snapshot of this transaction";
        Err(Refused::error(DatabaseErrorKind::Deadlock, reason))
    })
}
