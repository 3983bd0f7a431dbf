use diesel::mysql::Mysql;
use diesel::sql_types::BigInt;

use super::all_or_nothing::{Work, all_or_nothing};
use super::append::{
    RemoveHead, advance_head, create_or_advance_head, duplicate, name_duplicate, overtaken, refusal,
    reserve_head,
};
use super::fence::{self, last_insert_id};
use super::guards::current;
use super::insert::{insert_events, statement_bytes};
use super::keys::use_key;
use super::tenant::tenant;
use crate::model::append_batch::Guard;
use crate::storage::append::{AppendError, Batch, Placement};
use crate::storage::append_many::{AppendMany, Head, WholeBatch, Written};
use crate::storage::executor::Executor;
use crate::storage::lent;
use crate::storage::scope::Scope;
use crate::storage::server::Server;
use crate::storage::sql::of_stream::of_stream;

of_stream! {
    for Mysql;
    /// Keeps the head where it is until the transaction ends.
    HoldHead -> BigInt,
    current!(
        "SELECT aggregate_version FROM aggregate_heads WHERE tenant_id = ",
        tenant!(),
        " AND aggregate_type = ? AND aggregate_id = ? LOCK IN SHARE MODE"
    )
}

impl<C: Server<Backend = Mysql>> AppendMany for lent::Mysql<'_, C> {
    async fn append_batch(&mut self, whole: &WholeBatch<'_>) -> Result<Written, AppendError> {
        let mut bytes = Vec::with_capacity(whole.streams.len());
        for (nth, batch) in whole.streams.iter().enumerate() {
            bytes.push(statement_bytes(self.0, batch).await.map_err(|error| whole.counted(nth, error))?);
        }
        all_or_nothing(self.0, WriteAll { whole, statement_bytes: bytes }).await
    }
}

struct WriteAll<'w> {
    whole: &'w WholeBatch<'w>,
    /// Of each stream's part.
    statement_bytes: Vec<usize>,
}

impl<C: Executor<Backend = Mysql>> Work<C> for WriteAll<'_> {
    type Output = Written;
    type Error = AppendError;

    /// The key first: it is known then whether there is anything to do, and all batches take their locks in
    /// one order.
    async fn run(&self, conn: &mut C, scope: Scope) -> Result<Written, AppendError> {
        if let Some(key) = &self.whole.key {
            if let Some(append) = use_key(conn, key).await? {
                return Ok(Written::Before(append));
            }
        }
        self.write(conn, scope).await.map(Written::Now)
    }
}

impl WriteAll<'_> {
    async fn write<C>(&self, conn: &mut C, scope: Scope) -> Result<Vec<Placement>, AppendError>
    where
        C: Executor<Backend = Mysql>,
    {
        let previous_versions = lock_heads(conn, self.whole).await?;
        let entry = fence::enter(conn).await?;
        if scope == Scope::Savepoint && entry.keeps_gaps {
            refuse_recorded(conn, self.whole).await?;
        }
        let mut placements = Vec::with_capacity(previous_versions.len());
        for (nth, batch) in self.whole.streams.iter().enumerate() {
            let (previous_version, bytes) = (previous_versions[nth], self.statement_bytes[nth]);
            match insert_events(conn, batch, previous_version, &entry, bytes).await {
                Ok(positions) => placements.push(Placement { previous_version, positions }),
                Err(error) => {
                    let error = name_duplicate(batch, overtaken(conn, error).await.into());
                    return Err(self.whole.counted(nth, error));
                }
            }
        }
        Ok(placements)
    }
}

/// Returns where the heads were that were moved, in the order of the streams.
async fn lock_heads<C>(conn: &mut C, whole: &WholeBatch<'_>) -> Result<Vec<i64>, AppendError>
where
    C: Executor<Backend = Mysql>,
{
    let mut previous_versions = vec![0; whole.streams.len()];
    for head in whole.heads() {
        match head {
            Head::Moved(nth, batch) => {
                let moved = move_head(conn, batch).await;
                previous_versions[nth] = moved.map_err(|error| whole.counted(nth, error))?;
            }
            Head::Guarded(guard) => hold(conn, guard).await?,
        }
    }
    Ok(previous_versions)
}

/// From where the head was moved.
async fn move_head<C: Executor<Backend = Mysql>>(
    conn: &mut C,
    batch: &Batch<'_>,
) -> Result<i64, AppendError> {
    if !batch.expected.allows(0) {
        advance_head(conn, batch).await?;
        return Ok(last_insert_id(conn).await?);
    }
    conn.execute(create_or_advance_head(batch)).await?;
    let previous_version = last_insert_id(conn).await?;
    if batch.acceptable_versions().contains(&previous_version) {
        return Ok(previous_version);
    }
    Err(refusal(conn, batch, previous_version).await?)
}

async fn hold<C: Executor<Backend = Mysql>>(conn: &mut C, guard: &Guard) -> Result<(), AppendError> {
    if guard.expected.allows(0) {
        return hold_absent(conn, guard).await;
    }
    let version: Option<i64> = conn.optional_row(HoldHead::of(&guard.stream)).await?;
    Ok(guard.check(version.unwrap_or(0))?)
}

/// Creates the head and deletes it again. Another transaction that creates it waits until this one has
/// ended.
async fn hold_absent<C: Executor<Backend = Mysql>>(conn: &mut C, guard: &Guard) -> Result<(), AppendError> {
    conn.execute(reserve_head(&guard.stream)).await?;
    guard.check(last_insert_id(conn).await?)?;
    conn.execute(RemoveHead::of(&guard.stream)).await?;
    Ok(())
}

async fn refuse_recorded<C: Executor<Backend = Mysql>>(
    conn: &mut C,
    whole: &WholeBatch<'_>,
) -> Result<(), AppendError> {
    for (nth, batch) in whole.streams.iter().enumerate() {
        if let Some(duplicate) = duplicate(conn, batch).await? {
            return Err(whole.counted(nth, duplicate));
        }
    }
    Ok(())
}
