use diesel::result::QueryResult;

use crate::model::checkpoint::Checkpoint;
use crate::model::invalid::check_name;
use crate::model::partition::PartitionKey;
use crate::model::position::Position;
use crate::model::projection_id::ProjectionId;
use crate::storage::checkpoints::{CheckpointError, Checkpoints};
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::give_up::GiveUp;
use crate::storage::now::now;
use crate::storage::parked::Parked;
use crate::storage::partitions::{NewPartition, Partitions};
use crate::storage::transactions::{Open, Transactions};
use crate::store::EventStore;

impl EventStore {
    /// The checkpoint of a projection, if it has one.
    ///
    /// # Errors
    ///
    /// - [`CheckpointError::Invalid`]: the name is empty, too long or has a control character.
    /// - [`CheckpointError::Database`]: the database refused or failed.
    ///
    /// ```
    /// # use diesel::prelude::*;
    /// # use diesel_event_store::*;
    /// # fn main() -> Result<(), diesel_event_store::Error> {
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # run_pending_migrations(&mut conn)?;
    /// let store = EventStore::new();
    /// let done = store.checkpoint(&mut conn, "mailing list")?.map_or(Position::START, |c| c.position());
    /// assert_eq!(done, Position::START);
    /// # Ok(())
    /// # }
    /// ```
    pub fn checkpoint<C: EventConnection + ?Sized>(
        &self,
        conn: &mut C,
        projection_name: &str,
    ) -> Result<Option<Checkpoint>, CheckpointError> {
        now(checkpoint(&mut conn.database(), projection_name))
    }

    /// All checkpoints, in the order of their projections' names.
    ///
    /// # Errors
    ///
    /// [`CheckpointError::Database`]: the database refused or failed.
    ///
    /// ```
    /// # use diesel::prelude::*;
    /// # use diesel_event_store::*;
    /// # fn main() -> Result<(), diesel_event_store::Error> {
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # run_pending_migrations(&mut conn)?;
    /// for checkpoint in EventStore::new().checkpoints(&mut conn)? {
    ///     println!("{} is at {}", checkpoint.projection_name(), checkpoint.position());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn checkpoints<C: EventConnection + ?Sized>(
        &self,
        conn: &mut C,
    ) -> Result<Vec<Checkpoint>, CheckpointError> {
        Ok(conn.database().checkpoints()?)
    }

    /// Moves a projection's checkpoint forward, or creates it. It is never moved backward.
    ///
    /// Save it in the transaction that writes the read model's rows: the rows and the checkpoint are then
    /// committed together, and each event is applied once. Saving the same position again is no error, so two
    /// workers of one projection must not run at once: on SQLite
    /// [`write_transaction`](crate::write_transaction) around reading and saving keeps them apart, on the
    /// servers a lock of your own does.
    ///
    /// # Errors
    ///
    /// - [`CheckpointError::Backward`]: it lies further on already, so somebody else has applied these
    ///   events. Roll the transaction back.
    /// - [`CheckpointError::Invalid`]: the name is empty, too long or has a control character.
    /// - [`CheckpointError::Database`]: the database refused or failed.
    ///
    /// ```
    /// use diesel::prelude::*;
    /// use diesel_event_store::{Error, EventStore, LogQuery, Position, write_transaction};
    ///
    /// # fn main() -> Result<(), Error> {
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # diesel_event_store::run_pending_migrations(&mut conn)?;
    /// let store = EventStore::new();
    /// write_transaction(&mut conn, |conn| -> Result<(), Error> {
    ///     let done = store.checkpoint(conn, "mailing list")?.map_or(Position::START, |c| c.position());
    ///     let slice = store.read_forward(conn, done, 100)?;
    ///     // … write the rows …
    ///     store.save_checkpoint(conn, "mailing list", slice.scanned_to())?;
    ///     Ok(())
    /// })?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn save_checkpoint<C: EventConnection + ?Sized>(
        &self,
        conn: &mut C,
        projection_name: &str,
        position: Position,
    ) -> Result<(), CheckpointError> {
        now(save(&mut conn.database(), projection_name, position))
    }

    /// Sets a projection's checkpoint to a position, even backward: the events after it will be applied
    /// again, and are no longer parked. For a [`Projection`](crate::projection::Projection) this is version
    /// 1, with all its partitions. If a worker is applying a batch meanwhile, the batch is rolled back.
    ///
    /// Alone, it is a transaction of its own; inside a transaction of the application, it is part of that.
    ///
    /// # Errors
    ///
    /// - [`CheckpointError::Invalid`]: the name is empty, too long or has a control character.
    /// - [`CheckpointError::Database`]: the database refused or failed.
    ///
    /// ```
    /// # use diesel::prelude::*;
    /// # use diesel_event_store::*;
    /// # fn main() -> Result<(), diesel_event_store::Error> {
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # run_pending_migrations(&mut conn)?;
    /// let store = EventStore::new();
    /// store.save_checkpoint(&mut conn, "mailing list", Position::new(20)?)?;
    /// store.rewind_checkpoint(&mut conn, "mailing list", Position::new(10)?)?;
    /// assert_eq!(store.checkpoints(&mut conn)?[0].position().get(), 10);
    /// # Ok(())
    /// # }
    /// ```
    pub fn rewind_checkpoint<C: EventConnection + ?Sized>(
        &self,
        conn: &mut C,
        projection_name: &str,
        position: Position,
    ) -> Result<(), CheckpointError> {
        now(rewind(&mut conn.database(), projection_name, position))
    }

    /// Deletes a projection's checkpoint, so that the projection begins again where it
    /// [starts](crate::projection::Projection::start_from), with the first event by default. Returns whether
    /// there was one. For a [`Projection`](crate::projection::Projection) this is version 1, with all its
    /// partitions and parked events.
    ///
    /// Alone, it is a transaction of its own; inside a transaction of the application, it is part of that.
    ///
    /// # Errors
    ///
    /// - [`CheckpointError::Invalid`]: the name is empty, too long or has a control character.
    /// - [`CheckpointError::Database`]: the database refused or failed.
    ///
    /// ```
    /// # use diesel::prelude::*;
    /// # use diesel_event_store::*;
    /// # fn main() -> Result<(), diesel_event_store::Error> {
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # run_pending_migrations(&mut conn)?;
    /// assert!(!EventStore::new().delete_checkpoint(&mut conn, "mailing list")?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn delete_checkpoint<C: EventConnection + ?Sized>(
        &self,
        conn: &mut C,
        projection_name: &str,
    ) -> Result<bool, CheckpointError> {
        now(delete(&mut conn.database(), projection_name))
    }
}

pub(crate) async fn checkpoint<D: Checkpoints>(
    database: &mut D,
    projection_name: &str,
) -> Result<Option<Checkpoint>, CheckpointError> {
    check_name("projection_name", projection_name)?;
    Ok(database.checkpoint(projection_name).await?)
}

pub(crate) async fn save<D: Checkpoints>(
    database: &mut D,
    projection_name: &str,
    position: Position,
) -> Result<(), CheckpointError> {
    let checkpoint = Checkpoint::now(projection_name, position)?;
    if database.advance_checkpoint(&checkpoint).await? {
        return Ok(());
    }
    let saved = database.checkpoint(projection_name).await?.map_or(Position::START, |saved| saved.position);
    Err(CheckpointError::Backward { projection_name: checkpoint.projection_name, saved, requested: position })
}

/// The partitions of a projection, and what is parked of them, changed together.
pub(crate) trait Rewindable: Transactions + Partitions + Parked + GiveUp {}

impl<D: Transactions + Partitions + Parked + GiveUp> Rewindable for D {}

pub(crate) async fn rewind<D: Rewindable>(
    database: &mut D,
    projection_name: &str,
    position: Position,
) -> Result<(), CheckpointError> {
    let checkpoint = Checkpoint::now(projection_name, position)?;
    let mut open = Open::begin(database).await?;
    let outcome = move_back(&mut *open.database, &checkpoint).await;
    Ok(open.end(outcome).await?)
}

async fn move_back<D: Rewindable>(database: &mut D, checkpoint: &Checkpoint) -> QueryResult<()> {
    let (position, now) = (checkpoint.position, checkpoint.updated_at);
    let partition = by_hand(&checkpoint.projection_name);
    database.create_partition(&NewPartition::alone(partition.clone(), position, now)).await?;
    database.rewind(&partition.projection, position, now).await?;
    database.unpark_after(&partition.projection, position).await?;
    Ok(())
}

pub(crate) async fn delete<D: Rewindable>(
    database: &mut D,
    projection_name: &str,
) -> Result<bool, CheckpointError> {
    check_name("projection_name", projection_name)?;
    let mut open = Open::begin(database).await?;
    let outcome = forget(&mut *open.database, &by_hand(projection_name).projection).await;
    Ok(open.end(outcome).await?)
}

async fn forget<D: Rewindable>(database: &mut D, projection: &ProjectionId) -> QueryResult<bool> {
    database.unpark_all(projection).await?;
    Ok(database.delete_partitions(projection).await? > 0)
}

/// Where the checkpoint is kept that an application moves by hand.
fn by_hand(projection_name: &str) -> PartitionKey {
    let projection = ProjectionId { name: projection_name.to_owned(), version: Checkpoint::VERSION };
    PartitionKey { projection, number: Checkpoint::PARTITION }
}
