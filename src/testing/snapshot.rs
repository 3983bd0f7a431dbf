use std::fmt::Display;

use super::diff::diff;
use crate::decision::{Aggregate, Loaded, Snapshots};
use crate::model::json::Json;

/// The state as it is read back from its snapshot, if the aggregate has snapshots.
///
/// # Panics
///
/// If the state cannot be written or read, or is written differently afterwards.
#[track_caller]
pub(super) fn through_its_snapshot<A: Aggregate>(loaded: Loaded<A>) -> Loaded<A> {
    let (nth, Some(snapshots)) = (loaded.version, A::snapshots()) else { return loaded };
    let written = write(&snapshots, &loaded.state, nth);
    let state = match snapshots.read(written.as_str()) {
        Ok(state) => state,
        Err(error) => does_not_survive(nth, &error),
    };
    let again = write(&snapshots, &state, nth);
    if !snapshots.are_same(&written, &again) {
        let [one, other] = [written, again].map(|written| vec![written.as_str().to_owned()]);
        does_not_survive(nth, &format_args!("it changes\n{}", diff(&one, &other)));
    }
    Loaded { state, ..loaded }
}

#[track_caller]
fn write<A>(snapshots: &Snapshots<A>, state: &A, nth: i64) -> Json {
    match snapshots.write(state) {
        Ok(written) => written,
        Err(invalid) => does_not_survive(nth, &invalid),
    }
}

#[track_caller]
fn does_not_survive(nth: i64, why: &dyn Display) -> ! {
    panic!("the state after given event {nth} does not survive its snapshot: {why}")
}
