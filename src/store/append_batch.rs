use chrono::{DateTime, Utc};

use crate::model::append_batch::AppendBatch;
use crate::model::appended::Appended;
use crate::model::batch_appended::BatchAppended;
use crate::model::duplicate::Duplicate;
use crate::model::timestamp;
use crate::observe;
use crate::storage::append::{AppendError, Placement};
use crate::storage::append_many::{AppendMany, WholeBatch, Written};
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::keys::Keys;
use crate::storage::now::now;
use crate::storage::read::Read;
use crate::store::append::{find_recorded, record};
use crate::store::{EventStore, repeated, wake_up};

impl EventStore {
    /// Appends events to several streams, all or none, if each is at its expected version and no guarded
    /// stream has moved.
    ///
    /// Outside a transaction, it begins its own; inside a transaction of the application it runs in a
    /// savepoint, so that after an error everything else that the transaction did is still there, with the
    /// exceptions of [`append`](Self::append).
    ///
    /// Batches lock their streams in one order, whatever the order in which they name them. So two of them
    /// wait for each other only if they name the same stream, and never in a circle. A
    /// [`Deadlock`](crate::DatabaseErrorKind::Deadlock) is still possible in a transaction of the application
    /// that appends several times, and on MySQL and MariaDB between batches that guard or create the same
    /// absent stream. Outside a transaction, the batch is run again after one.
    ///
    /// On SQLite there is one writer at a time, and a guard costs one look-up.
    ///
    /// With an [idempotency key](AppendBatch::idempotency_key) a batch that is repeated, even at the same
    /// moment, is appended once. In a transaction of the application in REPEATABLE READ or above, repeating a
    /// batch that was appended after the transaction's first read is a
    /// [`Deadlock`](crate::DatabaseErrorKind::Deadlock): run the transaction again.
    ///
    /// # Errors
    ///
    /// Those of [`append`](Self::append). A [`Conflict`](AppendError::Conflict) names the stream that is at
    /// another version, which may be a guarded one. The index of an event counts through all streams of the
    /// batch. [`Invalid`](AppendError::Invalid) also: no stream, a stream without events, a stream twice, a
    /// guard on a stream that the batch appends to, a guard that expects any version, a key that is empty or
    /// too long. [`KeyReused`](AppendError::KeyReused): the key was used for something else.
    ///
    /// On PostgreSQL a transaction that was begun with SQL is refused as
    /// [`ForeignTransaction`](crate::DatabaseErrorKind::ForeignTransaction), as it is on the other databases.
    ///
    /// # Example
    ///
    /// ```
    /// use diesel::prelude::*;
    /// use diesel_event_store::ExpectedVersion::{Exact, NoStream};
    /// use diesel_event_store::{AppendBatch, EventStore, NewEvent, StreamId};
    ///
    /// # fn main() -> Result<(), diesel_event_store::Error> {
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # diesel_event_store::run_pending_migrations(&mut conn)?;
    /// let store = EventStore::new();
    /// let (order, stock) = (StreamId::new("Order", 1)?, StreamId::new("Stock", "tea")?);
    /// store.append(&mut conn, &stock, NoStream, &[NewEvent::new("Delivered", &10)?])?;
    ///
    /// let batch = AppendBatch::new()
    ///     .append(&order, NoStream, [NewEvent::new("Placed", &3)?])
    ///     .append(&stock, Exact(1), [NewEvent::new("Reserved", &3)?]);
    /// let done = store.append_batch(&mut conn, &batch)?;
    /// assert_eq!(done.streams()[1].version(), 2);
    ///
    /// assert!(store.append_batch(&mut conn, &batch).is_err()); // both have moved
    /// # Ok(())
    /// # }
    /// ```
    pub fn append_batch<C: EventConnection + ?Sized>(
        &self,
        conn: &mut C,
        batch: &AppendBatch,
    ) -> Result<BatchAppended, AppendError> {
        now(append_batch(*self, &mut conn.database(), batch))
    }
}

pub(crate) async fn append_batch<D: AppendMany + Read + Keys>(
    store: EventStore,
    database: &mut D,
    batch: &AppendBatch,
) -> Result<BatchAppended, AppendError> {
    validate(store.max_json_bytes, batch)?;
    let now = timestamp::now();
    let whole = WholeBatch::new(batch, now);
    match database.append_batch(&whole).await {
        Ok(Written::Now(placements)) => {
            let appended = recorded(batch, now, placements);
            appended.streams.iter().for_each(observe::appended);
            wake_up::all();
            Ok(appended)
        }
        Ok(Written::Before(append)) => repeated::batch(database, &whole, append).await,
        Err(error) => Err(explained(database, batch, error).await),
    }
}

fn validate(max_json_bytes: usize, batch: &AppendBatch) -> Result<(), AppendError> {
    batch.validate(max_json_bytes)?;
    match batch.repeated_id() {
        Some((event_index, event_id)) => {
            Err(AppendError::DuplicateEventId { event_id, event_index, recorded: None })
        }
        None => Ok(()),
    }
}

fn recorded(batch: &AppendBatch, now: DateTime<Utc>, placements: Vec<Placement>) -> BatchAppended {
    let streams = batch.streams.iter().zip(placements);
    let streams: Vec<Appended> = streams
        .map(|(of, placement)| record(&of.stream, of.events.iter().cloned(), now, placement))
        .collect();
    BatchAppended { streams, is_repeat: false }
}

/// Reports a conflict, and adds where the event is recorded whose id the batch has used again.
async fn explained<D: Read>(database: &mut D, batch: &AppendBatch, error: AppendError) -> AppendError {
    match error {
        AppendError::DuplicateEventId { event_id, event_index, .. } => {
            let found = match find_recorded(database, event_id).await {
                Ok(found) => found,
                Err(lost) => return lost,
            };
            let recorded = found
                .zip(batch.events().nth(event_index))
                .map(|(event, (stream, refused))| Box::new(Duplicate::new(event, stream, refused)));
            AppendError::DuplicateEventId { event_id, event_index, recorded }
        }
        error => {
            error.conflict().into_iter().for_each(observe::conflict);
            error
        }
    }
}
