use async_suite::{EventStore, Result, count, counted};
use futures_util::{StreamExt, TryStreamExt};
use real::chrono::{DateTime, Utc};
use real::projection::{ProjectionId, async_promote, async_repartition, async_resume, async_retry_parked};
use real::{
    AppendBatch, AppendError, AsyncEventConnection, AsyncEventStore, Error, ExpectedVersion, LogOrdering,
    LogQuery, NewEvent, Position, StreamId, async_write_transaction,
};

use super::database::{Database, Witness};
use super::dropped::Drops;
use super::tally::{Tally, mark_twice, tally};

/// Each that waits for more than its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    Append,
    /// Refused, which takes further statements.
    Conflict,
    /// To two streams, in a transaction or savepoint of the crate's.
    WriteTransaction,
    /// The same, in one that is run again after a lost race.
    Transaction,
    /// To two streams, with a guard.
    AppendBatch,
    /// A command that records two events, and a snapshot.
    Execute,
    /// The same with an idempotency key.
    ExecuteOnce,
    Load,
    ReadStream,
    ReadLog,
    /// Page by page.
    IterStream,
    IterLog,
    VerifySnapshots,
    LogStatus,
    DeleteKeys,
    SaveCheckpoint,
    RewindCheckpoint,
    DeleteCheckpoint,
    Resume,
    RetryParked,
    Repartition,
    Promote,
    SetLogOrdering,
    PublishPosition,
    Repair,
}

const ALL: [Operation; 25] = [
    Operation::Append,
    Operation::Conflict,
    Operation::WriteTransaction,
    Operation::Transaction,
    Operation::AppendBatch,
    Operation::Execute,
    Operation::ExecuteOnce,
    Operation::Load,
    Operation::ReadStream,
    Operation::ReadLog,
    Operation::IterStream,
    Operation::IterLog,
    Operation::VerifySnapshots,
    Operation::LogStatus,
    Operation::DeleteKeys,
    Operation::SaveCheckpoint,
    Operation::RewindCheckpoint,
    Operation::DeleteCheckpoint,
    Operation::Resume,
    Operation::RetryParked,
    Operation::Repartition,
    Operation::Promote,
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

    /// To both streams. Whoever calls it has them written or none.
    async fn write<C: AsyncEventConnection>(&self, conn: &mut C) -> Result<(), Error> {
        for stream in &self.streams {
            let event = NewEvent::new("Happened", &())?;
            AsyncEventStore::new().append(conn, stream, ExpectedVersion::NoStream, &[event]).await?;
        }
        Ok(())
    }

    /// A projection that was run.
    async fn projection<C: AsyncEventConnection>(&self, conn: &mut C) -> Result<ProjectionId, Error> {
        let name = self.streams[0].aggregate_id();
        AsyncEventStore::new().save_checkpoint(conn, name, Position::new(1)?).await?;
        Ok((name, 1).into())
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
        if matches!(operation, Operation::WriteTransaction | Operation::Transaction | Operation::AppendBatch)
        {
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
            Self::WriteTransaction => {
                async_write_transaction(conn, async |conn| run.write(conn).await).await?
            }
            Self::Transaction => store.transaction(conn, async |conn| run.write(conn).await).await?,
            Self::AppendBatch => run.append_batch(conn).await?,
            Self::Execute => mark_twice(conn, tally(run.streams[0].aggregate_id())).await?,
            Self::ExecuteOnce => run.execute_once(conn).await?,
            Self::Load => _ = tally(run.streams[0].aggregate_id()).load(conn).await?,
            Self::ReadStream => drop(store.read_stream(conn, &run.streams[0], ..).await?),
            Self::ReadLog => {
                let query = LogQuery::after(Position::START).event_types(["Happened"]);
                store.read_log(conn, &query, 100).await?;
            }
            Self::IterStream => {
                store.append(conn, &run.streams[0], ExpectedVersion::Any, &counted(3)?).await?;
                let pages = store.iter_stream(conn, &run.streams[0], ..).page_size(1);
                assert_eq!(pages.try_fold(0, async |read, _| Ok(read + 1)).await?, 3);
            }
            Self::IterLog => {
                let pages = store.iter_log(conn, LogQuery::after(Position::START)).page_size(1);
                pages.take(3).try_for_each(async |_| Ok(())).await?;
            }
            Self::VerifySnapshots => drop(store.verify_snapshots::<Tally>(conn, 2).await?),
            Self::LogStatus => drop(store.log_status(conn).await?),
            Self::DeleteKeys => _ = store.delete_keys_before(conn, DateTime::<Utc>::MIN_UTC).await?,
            Self::SaveCheckpoint => {
                store.save_checkpoint(conn, run.streams[0].aggregate_id(), Position::new(1)?).await?;
            }
            Self::RewindCheckpoint => {
                store.rewind_checkpoint(conn, run.streams[0].aggregate_id(), Position::START).await?;
            }
            Self::DeleteCheckpoint => {
                store.delete_checkpoint(conn, run.streams[0].aggregate_id()).await?;
            }
            Self::Resume => {
                let projection = run.projection(conn).await?;
                async_resume(conn, projection).await?;
            }
            Self::RetryParked => {
                let projection = run.projection(conn).await?;
                async_retry_parked(conn, projection, Position::new(1)?).await?;
            }
            Self::Repartition => {
                let projection = run.projection(conn).await?;
                async_repartition(conn, projection, 4).await?;
            }
            Self::Promote => {
                let projection = run.projection(conn).await?;
                async_promote(conn, projection, async |_| Ok::<_, Error>(())).await?;
            }
            Self::SetLogOrdering => store.set_log_ordering(conn, LogOrdering::Gapless).await?,
            Self::PublishPosition => drop(store.publish_position(conn).await?),
            Self::Repair => drop(store.repair(conn).await?),
        }
        Ok(())
    }
}
