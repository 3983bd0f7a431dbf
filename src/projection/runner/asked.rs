use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use crate::model::position::Position;
use crate::projection::apply::Calls;

/// What the manager asks of a member that applies a partition, and where that is.
#[derive(Default)]
pub(super) struct Asked {
    to_stop: AtomicBool,
    to_serve: AtomicBool,
    to_look: AtomicBool,
    checkpoint: AtomicI64,
    calls: Arc<Calls>,
}

impl Asked {
    pub(super) fn stop(&self) {
        self.to_stop.store(true, Ordering::Relaxed);
    }

    /// An operator has asked for something to be done with parked events.
    pub(super) fn serve(&self) {
        self.to_serve.store(true, Ordering::Relaxed);
    }

    /// The partition's row has changed.
    pub(super) fn look(&self) {
        self.to_look.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_to_stop(&self) -> bool {
        self.to_stop.load(Ordering::Relaxed)
    }

    /// Whether it is to serve, since this was called last.
    pub(super) fn take_request(&self) -> bool {
        self.to_serve.swap(false, Ordering::Relaxed)
    }

    pub(super) fn note_checkpoint(&self, checkpoint: Position) {
        self.checkpoint.store(checkpoint.get(), Ordering::Relaxed);
    }

    /// Where its checkpoint was at least, unless it was put back since.
    pub(super) fn checkpoint(&self) -> i64 {
        self.checkpoint.load(Ordering::Relaxed)
    }

    /// What it has called its handler for.
    pub(super) fn calls(&self) -> &Arc<Calls> {
        &self.calls
    }

    /// Whether it is to look, since this was called last.
    pub(super) fn take_look(&self) -> bool {
        self.to_look.swap(false, Ordering::Relaxed)
    }
}
