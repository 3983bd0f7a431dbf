use std::thread;
use std::time::Duration;

use diesel::result::QueryResult;

use super::append::{Decision, append_decided, keep};
use super::look::{Look, Seen, look};
use crate::model::event::RecordedEvent;
use crate::model::snapshot::Snapshot;
use crate::model::stream_id::StreamId;
use crate::storage::append::AppendError;
use crate::storage::lent::Blocking;
use crate::store::{EventStore, repeated};

/// A connection that blocks or one that is awaited. What it does at once is one visit to the thread on which
/// an asynchronous connection to SQLite works. The code of the application, which folds and decides, runs
/// where the caller is.
pub(super) trait AnyConnection {
    /// How many transactions and savepoints are open.
    fn depth(&mut self) -> impl Future<Output = QueryResult<u32>> + Send;

    fn look(&mut self, stream: &StreamId, at: Look) -> impl Future<Output = QueryResult<Seen>> + Send;

    /// The events of the same request, if it was carried out before.
    fn repeated(
        &mut self,
        stream: &StreamId,
        key: &str,
    ) -> impl Future<Output = Result<Option<Vec<RecordedEvent>>, AppendError>> + Send;

    fn append(
        &mut self,
        store: EventStore,
        decision: Decision<'_>,
    ) -> impl Future<Output = Result<Option<Vec<RecordedEvent>>, AppendError>> + Send;

    fn keep(
        &mut self,
        stream: &StreamId,
        version: i32,
        snapshot: &Snapshot,
    ) -> impl Future<Output = QueryResult<()>> + Send;

    fn snapshot(
        &mut self,
        stream: &StreamId,
        version: i32,
    ) -> impl Future<Output = QueryResult<Option<Snapshot>>> + Send;

    fn streams_with_snapshots(
        &mut self,
        aggregate_type: &str,
        version: i32,
        limit: i64,
    ) -> impl Future<Output = QueryResult<Vec<StreamId>>> + Send;

    fn pause(&mut self, duration: Duration) -> impl Future<Output = ()> + Send;
}

impl AnyConnection for Blocking<'_> {
    async fn depth(&mut self) -> QueryResult<u32> {
        Blocking::depth(self)
    }

    async fn look(&mut self, stream: &StreamId, at: Look) -> QueryResult<Seen> {
        look(self, stream, at).await
    }

    async fn repeated(
        &mut self,
        stream: &StreamId,
        key: &str,
    ) -> Result<Option<Vec<RecordedEvent>>, AppendError> {
        repeated::events(self, stream, key).await
    }

    async fn append(
        &mut self,
        store: EventStore,
        decision: Decision<'_>,
    ) -> Result<Option<Vec<RecordedEvent>>, AppendError> {
        append_decided(store, self, decision).await
    }

    async fn keep(&mut self, stream: &StreamId, version: i32, snapshot: &Snapshot) -> QueryResult<()> {
        keep(self, stream, version, snapshot).await
    }

    async fn snapshot(&mut self, stream: &StreamId, version: i32) -> QueryResult<Option<Snapshot>> {
        Blocking::snapshot(self, stream, version)
    }

    async fn streams_with_snapshots(
        &mut self,
        aggregate_type: &str,
        version: i32,
        limit: i64,
    ) -> QueryResult<Vec<StreamId>> {
        Blocking::streams_with_snapshots(self, aggregate_type, version, limit)
    }

    async fn pause(&mut self, duration: Duration) {
        thread::sleep(duration);
    }
}
