//! How the state of an aggregate is kept, and found again.

use super::LoadError;
use crate::decision::{Aggregate, Executed, Loaded, Snapshots};
use crate::model::event::RecordedEvent;
use crate::model::snapshot::Snapshot;
use crate::model::stream_id::StreamId;
use crate::observe;
use crate::storage::append::AppendError;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::transactions::in_transaction;

/// The state to begin with: the initial one, unless there is a snapshot that can be used.
pub(super) fn begin<A: Aggregate, C: EventConnection + ?Sized>(
    conn: &mut C,
    stream: &StreamId,
) -> Result<Loaded<A>, LoadError> {
    let initial = Loaded::initial(stream.aggregate_id());
    let Some(snapshots) = A::snapshots() else { return Ok(initial) };
    let Some(snapshot) = conn.database().snapshot(stream, snapshots.version)? else { return Ok(initial) };
    Ok(match snapshots.read(snapshot.state.as_str()) {
        Ok(state) => Loaded { state, version: snapshot.version },
        Err(error) => {
            observe::snapshot_unreadable(stream, &error);
            initial
        }
    })
}

/// Keeps the state if it is due. That it could not be kept is only observed, unless the application's
/// transaction has gone with it.
pub(super) fn keep<A: Aggregate, C: EventConnection + ?Sized>(
    conn: &mut C,
    stream: &StreamId,
    before: i64,
    executed: &Executed<A>,
    max_json_bytes: usize,
) -> Result<(), AppendError> {
    let (Some(snapshots), Some(last)) = (A::snapshots(), executed.events().last()) else { return Ok(()) };
    if !snapshots.is_due(before, executed.version) {
        return Ok(());
    }
    if let Err(error) = write(conn, stream, &snapshots, &executed.state, last, max_json_bytes) {
        observe::snapshot_not_written(stream, &error);
        conn.database().refuse_lost()?;
    }
    Ok(())
}

/// In a savepoint, because PostgreSQL would not go on in a transaction of the application after an error.
fn write<A: Aggregate, C: EventConnection + ?Sized>(
    conn: &mut C,
    stream: &StreamId,
    snapshots: &Snapshots<A>,
    state: &A,
    last: &RecordedEvent,
    max_json_bytes: usize,
) -> Result<(), AppendError> {
    let state = snapshots.write(state)?;
    state.check_size("snapshot", max_json_bytes)?;
    let snapshot = Snapshot { version: last.version(), event_id: last.id(), state };
    in_transaction(conn, |conn| Ok(conn.database().put_snapshot(stream, snapshots.version, &snapshot)?))
}
