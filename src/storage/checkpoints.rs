use diesel::result::QueryResult;

use crate::model::checkpoint::Checkpoint;
use crate::model::invalid::InvalidInput;
use crate::model::position::Position;
use crate::storage::error::{DatabaseError, OperationError, operation_error};
use crate::storage::operations::operations;

operations! {
    /// The checkpoints that applications keep by themselves.
    pub(crate) trait Checkpoints {
        fn checkpoint(&mut self, projection_name: &str) -> QueryResult<Option<Checkpoint>>;

        /// Those of all projections, in the order of their names.
        fn checkpoints(&mut self) -> QueryResult<Vec<Checkpoint>>;

        /// Moves the checkpoint forward, or leaves it where it is and returns `false` if it lies further on
        /// already.
        fn advance_checkpoint(&mut self, checkpoint: &Checkpoint) -> QueryResult<bool>;
    }
}

/// Why a checkpoint was not read or saved.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::{CheckpointError, EventStore, Position};
///
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// let store = EventStore::new();
/// store.save_checkpoint(&mut conn, "mailing list", Position::new(20)?)?;
/// let behind = store.save_checkpoint(&mut conn, "mailing list", Position::new(10)?);
/// assert!(matches!(behind, Err(CheckpointError::Backward { saved, .. }) if saved.get() == 20));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The checkpoint lies further on already: another worker has saved it. What was done along with it
    /// should be rolled back.
    #[error(
        "the checkpoint of {projection_name} is at {saved} and is not moved backward to {requested}; \
         to do that on purpose, call `rewind_checkpoint`"
    )]
    #[non_exhaustive]
    Backward {
        /// The projection.
        projection_name: String,
        /// Where its checkpoint is.
        saved: Position,
        /// Where it was to be moved.
        requested: Position,
    },
    /// Something that cannot be kept.
    #[error(transparent)]
    Invalid(#[from] InvalidInput),
    /// The database refused or failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl CheckpointError {
    /// Whether the same may well succeed when the outermost transaction is run again.
    ///
    /// ```
    /// use diesel_event_store::CheckpointError;
    ///
    /// assert!(!CheckpointError::from(diesel::result::Error::NotFound).is_retryable());
    /// ```
    pub fn is_retryable(&self) -> bool {
        self.database_error().is_some_and(DatabaseError::is_retryable)
    }
}

operation_error!(CheckpointError);
