//! What a command writes.

use diesel::result::QueryResult;

use crate::model::append_batch::AppendBatch;
use crate::model::appended::Appended;
use crate::model::event::{NewEvent, RecordedEvent};
use crate::model::expected_version::ExpectedVersion;
use crate::model::snapshot::Snapshot;
use crate::model::stream_id::StreamId;
use crate::observe;
use crate::storage::append::{Append, AppendError};
use crate::storage::append_many::AppendMany;
use crate::storage::give_up::GiveUp;
use crate::storage::keys::Keys;
use crate::storage::read::Read;
use crate::storage::snapshots::Snapshots;
use crate::storage::transactions::{Open, Transactions};
use crate::storage::write_transaction::WriteTransaction;
use crate::store::EventStore;
use crate::store::append::append;
use crate::store::append_batch::append_batch;

/// Events that were decided on a version of a stream.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decision<'a> {
    pub(super) stream: &'a StreamId,
    pub(super) version: i64,
    pub(super) events: &'a [NewEvent],
    pub(super) key: Option<&'a str>,
}

/// Appends them. Returns no events if the same request was faster. It may have decided differently.
pub(super) async fn append_decided<D>(
    store: EventStore,
    database: &mut D,
    Decision { stream, version, events, key }: Decision<'_>,
) -> Result<Option<Vec<RecordedEvent>>, AppendError>
where
    D: Append + AppendMany + Keys + Read,
{
    let expected = ExpectedVersion::Exact(version);
    let Some(key) = key else {
        return Ok(Some(append(store, database, stream, expected, events).await?.into_events()));
    };
    let batch = AppendBatch::new().append(stream, expected, events.to_vec()).idempotency_key(key);
    match append_batch(store, database, &batch).await {
        Ok(done) if !done.is_repeat() => Ok(done.into_streams().pop().map(Appended::into_events)),
        Ok(_) | Err(AppendError::KeyReused { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Keeps a snapshot. An error only if the application's transaction has gone with it.
pub(super) async fn keep<D>(
    database: &mut D,
    stream: &StreamId,
    version: i32,
    snapshot: &Snapshot,
) -> QueryResult<()>
where
    D: GiveUp + Snapshots + Transactions + WriteTransaction,
{
    match put(database, stream, version, snapshot).await {
        Ok(()) => Ok(()),
        Err(error) => {
            observe::snapshot_not_written(stream, &error);
            database.refuse_lost().await
        }
    }
}

/// In a savepoint, because PostgreSQL would not go on in a transaction of the application after an error.
async fn put<D>(database: &mut D, stream: &StreamId, version: i32, snapshot: &Snapshot) -> QueryResult<()>
where
    D: GiveUp + Snapshots + Transactions,
{
    let mut open = Open::begin(database).await?;
    let put = open.database.put_snapshot(stream, version, snapshot).await;
    open.end(put).await
}
