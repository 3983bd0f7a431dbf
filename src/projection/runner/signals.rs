use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::projection::link::Link;
use crate::storage::bell::Bell;
use crate::store::wake_up;

/// What the manager of a runner is told.
#[derive(Clone, Default)]
pub(in crate::projection) struct Signals(Arc<Told>);

#[derive(Default)]
struct Told {
    to_stop: AtomicBool,
    has_ended: AtomicBool,
    bell: Bell,
}

impl Signals {
    pub(in crate::projection) fn stop(&self) {
        self.0.to_stop.store(true, Ordering::SeqCst);
        self.0.bell.ring();
        // Who waits for a connection hears only this.
        wake_up::all();
    }

    /// A member of the crew that applies a partition has ended.
    pub(super) fn ended(&self) {
        self.0.has_ended.store(true, Ordering::SeqCst);
        self.0.bell.ring();
    }

    pub(super) fn is_to_stop(&self) -> bool {
        self.0.to_stop.load(Ordering::SeqCst)
    }

    /// Since this was asked last.
    pub(super) fn take_ended(&self) -> bool {
        self.0.has_ended.swap(false, Ordering::SeqCst)
    }

    pub(super) fn count(&self) -> u64 {
        self.0.bell.count()
    }

    pub(super) async fn wait<L: Link>(&self, seen: u64, longest: Duration) {
        L::wait(&self.0.bell, seen, longest).await;
    }
}
