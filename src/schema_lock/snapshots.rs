use std::any::type_name;

use schemars::JsonSchema;

use super::changes::changes;
use super::file::LockFile;
use super::finding::Finding;
use super::mode::Mode;
use super::shape::schema_of;
use super::shapes::Shapes;
use super::snapshot_shape::SnapshotShape;
use crate::decision::Aggregate;

/// The shape of an aggregate's [snapshots](crate::Snapshots), for [`check`](super::check()): a state of
/// another shape needs another version. Nothing, if the aggregate has no snapshots.
///
/// ```no_run
/// # use diesel_event_store::Aggregate;
/// # use diesel_event_store::schema_lock::{self, Locked, schemars::JsonSchema};
/// # fn check<OrderEvent, Order>() -> Result<(), schema_lock::LockError>
/// # where
/// #     OrderEvent: Locked,
/// #     Order: Aggregate<Event = OrderEvent> + JsonSchema,
/// # {
/// schema_lock::check(
///     "events.lock.json",
///     [schema_lock::shapes::<OrderEvent>(), schema_lock::snapshot::<Order>()],
/// )
/// # }
/// ```
pub fn snapshot<A: Aggregate + JsonSchema>() -> Shapes {
    let shape = A::snapshots().map(|snapshots| SnapshotShape {
        aggregate_type: A::TYPE,
        version: snapshots.version,
        schema: schema_of::<A>(),
    });
    Shapes::of_snapshot(type_name::<A>(), shape)
}

/// A snapshot that was stored is used as long as its version is the current one, so its shape must be the
/// same to the last field: one that is missing would have been folded from events.
fn finding(shape: &SnapshotShape, lock: &LockFile) -> Option<Finding> {
    let (name, version) = (shape.aggregate_type, shape.version);
    match lock.snapshot(name) {
        Some((locked, _)) if locked > version => Some(Finding::snapshot_went_back(name, version, locked)),
        Some((locked, schema)) if locked == version && *schema != shape.schema => {
            Some(Finding::snapshot_changed(name, version, &changes(schema, &shape.schema)))
        }
        Some((locked, _)) if locked == version => None,
        _ => Some(Finding::snapshot_added(name, version)),
    }
}

fn all_of(all: &[Shapes]) -> impl Iterator<Item = &SnapshotShape> {
    all.iter().filter_map(|shapes| shapes.snapshot.as_ref())
}

pub(super) fn findings(lock: &LockFile, all: &[Shapes]) -> Vec<Finding> {
    let of_each = all_of(all).filter_map(|shape| finding(shape, lock));
    claimed_twice(all).into_iter().chain(of_each).collect()
}

/// Either of two states would be read from the snapshots of the other.
fn claimed_twice(all: &[Shapes]) -> Vec<Finding> {
    let with_snapshots: Vec<_> =
        all.iter().filter_map(|shapes| Some((shapes.of, shapes.snapshot.as_ref()?))).collect();
    let rivals = with_snapshots.iter().enumerate().filter_map(|(nth, (of, shape))| {
        let is_same = |(_, other): &&(&str, &SnapshotShape)| other.aggregate_type == shape.aggregate_type;
        let (first, _) = with_snapshots[..nth].iter().find(is_same)?;
        Some(Finding::two_states(shape.aggregate_type, shape.version, [first, of]))
    });
    rivals.collect()
}

/// What an aggregate without snapshots has in the lock stays there: should it have some again, they need
/// another version.
pub(super) fn record(lock: &mut LockFile, all: &[Shapes], mode: Mode) {
    for shape in all_of(all) {
        let found = finding(shape, lock);
        if found.is_some_and(|finding| finding.kind().is_compatible() || mode == Mode::Force) {
            lock.set_snapshot(shape.aggregate_type, shape.version, &shape.schema);
        }
    }
}
