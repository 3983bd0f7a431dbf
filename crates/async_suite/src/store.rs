//! Stands for the store, method by method.

use futures_util::StreamExt;
use real::chrono::{DateTime, Utc};
use real::uuid::Uuid;
use real::{
    Aggregate, AppendBatch, AppendError, Appended, AsyncEventStore, BatchAppended, Checkpoint,
    CheckpointError, DatabaseError, Event, EventFilter, EventStream, ExpectedVersion, LoadError, LogOrdering,
    LogQuery, LogReport, LogSlice, LogStatus, MigrationError, NewEvent, OrderingError, Position, ReadError,
    RecordedEvent, Repaired, RunAgain, SnapshotReport, StreamId, StreamQuery, StreamSlice,
    async_run_pending_migrations,
};

use crate::aggregate::AggregateRef;
use crate::block_on::block_on;
use crate::connection::EventConnection;
use crate::transaction::Lender;

pub fn run_pending_migrations<C: EventConnection>(conn: &mut C) -> Result<Vec<String>, MigrationError> {
    block_on(async_run_pending_migrations(conn.awaited()))
}

#[derive(Debug, Clone, Copy, Default)]
pub struct EventStore(AsyncEventStore);

/// One method that takes and returns the same.
macro_rules! blocking {
    ($($name:ident($($argument:ident: $type:ty),*) -> $output:ty;)+) => {
        $(
            pub fn $name<C: EventConnection>(&self, conn: &mut C $(, $argument: $type)*) -> $output {
                block_on(self.0.$name(conn.awaited() $(, $argument)*))
            }
        )+
    };
}

impl EventStore {
    pub const fn new() -> Self {
        Self(AsyncEventStore::new())
    }

    pub const fn max_json_bytes(self, max_json_bytes: usize) -> Self {
        Self(self.0.max_json_bytes(max_json_bytes))
    }

    pub const fn allow_empty(self, allow_empty: bool) -> Self {
        Self(self.0.allow_empty(allow_empty))
    }

    blocking! {
        append(stream: &StreamId, expected: ExpectedVersion, events: &[NewEvent]) -> Result<Appended, AppendError>;
        append_batch(batch: &AppendBatch) -> Result<BatchAppended, AppendError>;
        version(stream: &StreamId) -> Result<i64, ReadError>;
        read_stream(stream: &StreamId, query: impl Into<StreamQuery>) -> Result<StreamSlice, ReadError>;
        read_forward(after: Position, limit: usize) -> Result<LogSlice, ReadError>;
        read_backward(before: Position, limit: usize) -> Result<LogSlice, ReadError>;
        read_log(query: &LogQuery, limit: usize) -> Result<LogSlice, ReadError>;
        read_event(event_id: Uuid) -> Result<Option<RecordedEvent>, ReadError>;
        last_position() -> Result<Position, ReadError>;
        log_id() -> Result<Uuid, DatabaseError>;
        log_status() -> Result<LogStatus, ReadError>;
        log_ordering() -> Result<LogOrdering, OrderingError>;
        set_log_ordering(ordering: LogOrdering) -> Result<(), OrderingError>;
        publish_position() -> Result<Position, ReadError>;
        repair() -> Result<Repaired, DatabaseError>;
        checkpoint(projection_name: &str) -> Result<Option<Checkpoint>, CheckpointError>;
        checkpoints() -> Result<Vec<Checkpoint>, CheckpointError>;
        save_checkpoint(projection_name: &str, position: Position) -> Result<(), CheckpointError>;
        rewind_checkpoint(projection_name: &str, position: Position) -> Result<(), CheckpointError>;
        delete_checkpoint(projection_name: &str) -> Result<bool, CheckpointError>;
        delete_keys_before(time: DateTime<Utc>) -> Result<usize, DatabaseError>;
    }

    pub fn aggregate<A: Aggregate>(&self, id: impl ToString) -> AggregateRef<A> {
        AggregateRef(self.0.aggregate(id))
    }

    pub fn verify_snapshots<A: Aggregate>(
        &self,
        conn: &mut impl EventConnection,
        sample: usize,
    ) -> Result<SnapshotReport, LoadError> {
        block_on(self.0.verify_snapshots::<A>(conn.awaited(), sample))
    }

    pub fn delete_old_snapshots<A: Aggregate>(
        &self,
        conn: &mut impl EventConnection,
    ) -> Result<usize, LoadError> {
        block_on(self.0.delete_old_snapshots::<A>(conn.awaited()))
    }

    pub fn check_log<E: Event>(
        &self,
        conn: &mut impl EventConnection,
        filter: EventFilter,
    ) -> Result<LogReport, ReadError> {
        block_on(self.0.check_log::<E>(conn.awaited(), filter))
    }

    /// Waits for the work inside, as `write_transaction` does.
    pub fn transaction<C, T, E>(
        &self,
        conn: &mut C,
        mut work: impl FnMut(&mut C) -> Result<T, E>,
    ) -> Result<T, E>
    where
        C: EventConnection,
        E: From<diesel::result::Error> + RunAgain,
    {
        block_on(self.0.transaction(&mut Lender(conn), async |lender| work(lender.0)))
    }

    pub fn iter_stream<'c, C: EventConnection>(
        &self,
        conn: &'c mut C,
        stream: &StreamId,
        query: impl Into<StreamQuery>,
    ) -> EventIter<'c, C> {
        EventIter(self.0.iter_stream(conn.awaited(), stream, query))
    }

    pub fn iter_log<'c, C: EventConnection>(&self, conn: &'c mut C, query: LogQuery) -> EventIter<'c, C> {
        EventIter(self.0.iter_log(conn.awaited(), query))
    }
}

/// Stands for the iterator.
pub struct EventIter<'c, C: EventConnection>(EventStream<'c, C::Awaited>);

impl<C: EventConnection> EventIter<'_, C> {
    pub fn page_size(self, events: usize) -> Self {
        Self(self.0.page_size(events))
    }
}

impl<C: EventConnection> Iterator for EventIter<'_, C> {
    type Item = Result<RecordedEvent, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        block_on(self.0.next())
    }
}
