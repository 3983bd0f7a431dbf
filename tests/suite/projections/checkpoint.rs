//! The rows of `projection_checkpoints`: what `status` says of them, and what somebody does to them behind a
//! worker's back.

use diesel::result::QueryResult;
use diesel_event_store::projection::{self, PartitionStatus, ProjectionState, ProjectionStatus};
use diesel_event_store::{EventConnection, Position};
use test_support::{Result, execute};

use super::NAME;

/// The only projection there is.
pub fn status<C: EventConnection>(conn: &mut C) -> Result<ProjectionStatus> {
    let [status] = <[_; 1]>::try_from(projection::status(conn)?).map_err(|all| format!("{all:?}"))?;
    Ok(status)
}

/// What each of its partitions does.
pub fn states<C: EventConnection>(conn: &mut C) -> Result<Vec<ProjectionState>> {
    Ok(status(conn)?.partitions().iter().map(PartitionStatus::state).collect())
}

/// Where the checkpoint of the only projection is.
pub fn reached<C: EventConnection>(conn: &mut C) -> Result<Position> {
    Ok(status(conn)?.position())
}

/// Changes columns of its checkpoint by hand.
pub fn set<C: EventConnection>(conn: &mut C, columns: &str) -> QueryResult<()> {
    execute(conn, &format!("UPDATE projection_checkpoints SET {columns} WHERE projection_name = '{NAME}'"))
}
