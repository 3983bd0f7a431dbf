use std::time::Duration;

use diesel::result::QueryResult;

use crate::aggregate::any_connection::AnyConnection;
use crate::aggregate::append::{Decision, append_decided, keep};
use crate::aggregate::look::{Look, Seen, look};
use crate::model::event::RecordedEvent;
use crate::model::snapshot::Snapshot;
use crate::model::stream_id::StreamId;
use crate::storage::append::AppendError;
use crate::storage::asynchronous::awaited::awaited;
use crate::storage::asynchronous::connection::AsyncEventConnection;
use crate::storage::snapshots::Snapshots;
use crate::storage::transactions::Transactions;
use crate::store::{EventStore, repeated};

/// A connection of the application's that is awaited.
pub(super) struct Awaited<'c, C: ?Sized>(pub(super) &'c mut C);

impl<C: AsyncEventConnection + ?Sized> AnyConnection for Awaited<'_, C> {
    async fn depth(&mut self) -> QueryResult<u32> {
        awaited!(self.0, clone(), database => database.depth())
    }

    async fn look(&mut self, stream: &StreamId, at: Look) -> QueryResult<Seen> {
        awaited!(self.0, clone(stream: stream.clone()), database => look(database, stream, at))
    }

    async fn repeated(
        &mut self,
        stream: &StreamId,
        key: &str,
    ) -> Result<Option<Vec<RecordedEvent>>, AppendError> {
        awaited!(self.0, clone(stream: stream.clone(), key: key.to_owned()), database => {
            repeated::events(database, stream, key)
        })
    }

    async fn append(
        &mut self,
        store: EventStore,
        Decision { stream, version, events, key }: Decision<'_>,
    ) -> Result<Option<Vec<RecordedEvent>>, AppendError> {
        let key = key.map(str::to_owned);
        awaited!(self.0, clone(stream: stream.clone(), events: events.to_vec()), database => {
            append_decided(store, database, Decision { stream, version, events, key: key.as_deref() })
        })
    }

    async fn keep(&mut self, stream: &StreamId, version: i32, snapshot: &Snapshot) -> QueryResult<()> {
        awaited!(self.0, clone(stream: stream.clone(), snapshot: snapshot.clone()), database => {
            keep(database, stream, version, snapshot)
        })
    }

    async fn snapshot(&mut self, stream: &StreamId, version: i32) -> QueryResult<Option<Snapshot>> {
        awaited!(self.0, clone(stream: stream.clone()), database => database.snapshot(stream, version))
    }

    async fn streams_with_snapshots(
        &mut self,
        aggregate_type: &str,
        version: i32,
        limit: i64,
    ) -> QueryResult<Vec<StreamId>> {
        awaited!(self.0, clone(aggregate_type: aggregate_type.to_owned()), database => {
            database.streams_with_snapshots(aggregate_type, version, limit)
        })
    }

    async fn pause(&mut self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
