use crate::model::checkpoint::Checkpoint;
use crate::model::invalid::check_name;
use crate::model::partition::PartitionKey;
use crate::model::position::Position;
use crate::model::projection_id::ProjectionId;
use crate::storage::checkpoints::CheckpointError;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::partitions::NewPartition;
use crate::storage::transactions::in_transaction;
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
        check_name("projection_name", projection_name)?;
        Ok(conn.database().checkpoint(projection_name)?)
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
        let checkpoint = Checkpoint::now(projection_name, position)?;
        if conn.database().advance_checkpoint(&checkpoint)? {
            return Ok(());
        }
        let saved =
            conn.database().checkpoint(projection_name)?.map_or(Position::START, |saved| saved.position);
        Err(CheckpointError::Backward {
            projection_name: checkpoint.projection_name,
            saved,
            requested: position,
        })
    }

    /// Sets a projection's checkpoint to a position, also backward: what lies after it will be applied again,
    /// and is no longer parked. Of a [`Projection`](crate::projection::Projection) that is version 1, with
    /// all its partitions; a batch that a worker is applying meanwhile is rolled back.
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
        let Checkpoint { updated_at: now, .. } = Checkpoint::now(projection_name, position)?;
        let partition = by_hand(projection_name);
        let projection = &partition.projection;
        in_transaction(conn, |conn| {
            conn.database().create_partition(&NewPartition::alone(&partition, position, now))?;
            conn.database().rewind(projection, position, now)?;
            conn.database().unpark_after(projection, position)?;
            Ok(())
        })
    }

    /// Deletes a projection's checkpoint, so that the projection begins again where it
    /// [starts](crate::projection::Projection::start_from), with the first event by default. Returns whether
    /// there was one. Of a [`Projection`](crate::projection::Projection) that is version 1, with all its
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
        check_name("projection_name", projection_name)?;
        let projection = by_hand(projection_name).projection;
        in_transaction(conn, |conn| {
            conn.database().unpark_all(&projection)?;
            Ok(conn.database().delete_partitions(&projection)? > 0)
        })
    }
}

/// Where the checkpoint is kept that an application moves by hand.
fn by_hand(projection_name: &str) -> PartitionKey {
    let projection = ProjectionId { name: projection_name.to_owned(), version: Checkpoint::VERSION };
    PartitionKey { projection, number: Checkpoint::PARTITION }
}
