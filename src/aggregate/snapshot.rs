//! How the state of an aggregate is kept, and found again.

use super::any_connection::AnyConnection;
use super::look::Kept;
use super::short_streams;
use crate::decision::{Aggregate, Executed, Snapshots};
use crate::model::event::RecordedEvent;
use crate::model::invalid::InvalidInput;
use crate::model::snapshot::Snapshot;
use crate::model::stream_id::StreamId;
use crate::observe;
use crate::storage::append::AppendError;

/// The state, if the snapshot can be read.
pub(super) fn restored<A: Aggregate>(stream: &StreamId, snapshot: &Snapshot) -> Option<A> {
    let read = A::snapshots()?.read(snapshot.state.as_str());
    read.inspect_err(|error| observe::snapshot_unreadable(stream, error)).ok()
}

/// After an append: keeps the state if it is due. That it could not be kept is only observed, unless the
/// application's transaction has gone with it.
pub(super) async fn keep<A: Aggregate, C: AnyConnection>(
    conn: &mut C,
    stream: &StreamId,
    before: i64,
    executed: &Executed<A>,
    max_json_bytes: usize,
) -> Result<(), AppendError> {
    let (Some(snapshots), Some(last)) = (A::snapshots(), executed.events().last()) else { return Ok(()) };
    let is_short = Kept::of::<A>().is_some_and(|kept| kept.is_too_early(executed.version));
    // A short one that was there before may have a snapshot, which was written more often then.
    if before == 0 || !is_short {
        short_streams::note(stream, is_short);
    }
    if !snapshots.is_due(before, executed.version) {
        return Ok(());
    }
    match snapshot_of(&snapshots, &executed.state, last, max_json_bytes) {
        Ok(snapshot) => Ok(conn.keep(stream, snapshots.version, &snapshot).await?),
        Err(invalid) => {
            observe::snapshot_not_written(stream, &invalid);
            Ok(())
        }
    }
}

fn snapshot_of<A>(
    snapshots: &Snapshots<A>,
    state: &A,
    last: &RecordedEvent,
    max_json_bytes: usize,
) -> Result<Snapshot, InvalidInput> {
    let state = snapshots.write(state)?;
    state.check_size("snapshot", max_json_bytes)?;
    Ok(Snapshot { version: last.version(), event_id: last.id(), state })
}
