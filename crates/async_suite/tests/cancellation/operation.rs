use async_suite::{EventStore, Result, count};
use real::{
    AppendBatch, AppendError, AsyncEventConnection, AsyncEventStore, Error, ExpectedVersion, LogOrdering,
    LogQuery, NewEvent, Position, StreamId, async_write_transaction,
};

use super::database::{Database, Witness};
use super::dropped::Drops;
use super::tally::{mark_twice, tally};

/// Each that waits for more than its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    Append,
    /// Refused, which takes further statements.
    Conflict,
    /// To two streams, in a transaction or savepoint of the crate's.
    WriteTransaction,
    /// To two streams, with a guard.
    AppendBatch,
    /// A command that records two events, and a snapshot.
    Execute,
    /// The same with an idempotency key.
    ExecuteOnce,
    Load,
    ReadStream,
    ReadLog,
    LogStatus,
    SaveCheckpoint,
    RewindCheckpoint,
    DeleteCheckpoint,
    SetLogOrdering,
    PublishPosition,
    Repair,
}

const ALL: [Operation; 16] = [
    Operation::Append,
    Operation::Conflict,
    Operation::WriteTransaction,
    Operation::AppendBatch,
    Operation::Execute,
    Operation::ExecuteOnce,
    Operation::Load,
    Operation::ReadStream,
    Operation::ReadLog,
    Operation::LogStatus,
    Operation::SaveCheckpoint,
    Operation::RewindCheckpoint,
    Operation::DeleteCheckpoint,
    Operation::SetLogOrdering,
    Operation::PublishPosition,
    Operation::Repair,
];

/// Drops every operation wherever it waits, until it is ready before it would be dropped. `dropped` says
/// whether it was.
pub fn every_operation<D: Database>(dropped: fn(&D, Operation, Drops) -> Result<bool>) -> Result {
    let database = D::of_an_application()?;
    for operation in ALL {
        let mut drops = Drops::all();
        while !dropped(&database, operation, drops.next().ok_or("it waits more often than any operation")?)? {
        }
    }
    Ok(())
}

/// The streams and events of one run.
pub struct Run {
    pub streams: [StreamId; 2],
    pub event: NewEvent,
}

impl Run {
    pub fn new(name: &str) -> Result<Self> {
        let streams = [StreamId::new("First", name)?, StreamId::new("Second", name)?];
        Ok(Self { streams, event: NewEvent::new("Happened", &name)? })
    }

    pub async fn append<C: AsyncEventConnection>(&self, conn: &mut C) -> Result<(), AppendError> {
        let events = std::slice::from_ref(&self.event);
        AsyncEventStore::new()
            .append(conn, &self.streams[0], ExpectedVersion::NoStream, events)
            .await
            .map(drop)
    }

    /// To both streams or to none.
    async fn write<C: AsyncEventConnection>(&self, conn: &mut C) -> Result<(), Error> {
        async_write_transaction(conn, async |conn| {
            for stream in &self.streams {
                let event = NewEvent::new("Happened", &())?;
                AsyncEventStore::new().append(conn, stream, ExpectedVersion::NoStream, &[event]).await?;
            }
            Ok(())
        })
        .await
    }

    /// To both streams, and to none if a third exists.
    async fn append_batch<C: AsyncEventConnection>(&self, conn: &mut C) -> Result<(), Error> {
        let [first, second] = &self.streams;
        let guarded = StreamId::new("Guarded", first.aggregate_id())?;
        let batch = AppendBatch::new()
            .append(first, ExpectedVersion::NoStream, [NewEvent::new("Happened", &())?])
            .append(second, ExpectedVersion::NoStream, [NewEvent::new("Happened", &())?])
            .guard(&guarded, ExpectedVersion::NoStream);
        AsyncEventStore::new().append_batch(conn, &batch).await?;
        Ok(())
    }

    /// A request that can be repeated.
    pub async fn execute_once<C: AsyncEventConnection>(&self, conn: &mut C) -> Result<(), Error> {
        let name = self.streams[0].aggregate_id();
        mark_twice(conn, tally(name).idempotency_key(name)).await
    }

    /// Whether heads, snapshots and events agree, and the two streams of what writes to both.
    pub fn check<C: Witness>(&self, operation: Operation, witness: &mut C) -> Result {
        let lost = "aggregate_heads AS h WHERE aggregate_version <> (SELECT COUNT(*) FROM events AS e \
                    WHERE e.aggregate_type = h.aggregate_type AND e.aggregate_id = h.aggregate_id)";
        assert_eq!(count(witness, lost)?, 0, "heads without events");
        let lost = "snapshots AS s WHERE aggregate_version <> (SELECT COUNT(*) FROM events AS e \
                    WHERE e.aggregate_type = s.aggregate_type AND e.aggregate_id = s.aggregate_id)";
        assert_eq!(count(witness, lost)?, 0, "snapshots without events");
        if matches!(operation, Operation::WriteTransaction | Operation::AppendBatch) {
            // In one statement: what was dropped may be on its way still.
            let name = self.streams[0].aggregate_id();
            let written = format!("aggregate_heads WHERE aggregate_id = '{name}'");
            assert_ne!(count(witness, &written)?, 1, "both or neither");
        }
        if matches!(operation, Operation::Execute | Operation::ExecuteOnce) {
            let written = format!("events WHERE aggregate_id = '{}'", self.streams[0].aggregate_id());
            assert_ne!(count(witness, &written)?, 1, "both or neither");
        }
        Ok(())
    }

    pub fn versions<C: Witness>(&self, witness: &mut C) -> Result<[i64; 2]> {
        let store = EventStore::new();
        Ok([store.version(witness, &self.streams[0])?, store.version(witness, &self.streams[1])?])
    }
}

impl Operation {
    pub async fn run<C: AsyncEventConnection>(self, conn: &mut C, run: &Run) -> Result<(), Error> {
        let store = AsyncEventStore::new();
        match self {
            Self::Append => run.append(conn).await?,
            Self::Conflict => {
                let events = std::slice::from_ref(&run.event);
                let refused = store.append(conn, &run.streams[0], ExpectedVersion::Exact(5), events).await;
                if !matches!(refused, Err(AppendError::Conflict(_))) {
                    refused?;
                }
            }
            Self::WriteTransaction => run.write(conn).await?,
            Self::AppendBatch => run.append_batch(conn).await?,
            Self::Execute => mark_twice(conn, tally(run.streams[0].aggregate_id())).await?,
            Self::ExecuteOnce => run.execute_once(conn).await?,
            Self::Load => _ = tally(run.streams[0].aggregate_id()).load(conn).await?,
            Self::ReadStream => drop(store.read_stream(conn, &run.streams[0], ..).await?),
            Self::ReadLog => {
                let query = LogQuery::after(Position::START).event_types(["Happened"]);
                store.read_log(conn, &query, 100).await?;
            }
            Self::LogStatus => drop(store.log_status(conn).await?),
            Self::SaveCheckpoint => {
                store.save_checkpoint(conn, run.streams[0].aggregate_id(), Position::new(1)?).await?;
            }
            Self::RewindCheckpoint => {
                store.rewind_checkpoint(conn, run.streams[0].aggregate_id(), Position::START).await?;
            }
            Self::DeleteCheckpoint => {
                store.delete_checkpoint(conn, run.streams[0].aggregate_id()).await?;
            }
            Self::SetLogOrdering => store.set_log_ordering(conn, LogOrdering::Gapless).await?,
            Self::PublishPosition => drop(store.publish_position(conn).await?),
            Self::Repair => drop(store.repair(conn).await?),
        }
        Ok(())
    }
}
