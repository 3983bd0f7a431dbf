use std::sync::atomic::{AtomicBool, Ordering};

/// What the manager asks of a member that applies a partition.
#[derive(Default)]
pub(super) struct Asked {
    to_stop: AtomicBool,
    to_serve: AtomicBool,
}

impl Asked {
    pub(super) fn stop(&self) {
        self.to_stop.store(true, Ordering::Relaxed);
    }

    /// An operator has asked for something to be done with parked events.
    pub(super) fn serve(&self) {
        self.to_serve.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_to_stop(&self) -> bool {
        self.to_stop.load(Ordering::Relaxed)
    }

    /// Since this was called last.
    pub(super) fn take_request(&self) -> bool {
        self.to_serve.swap(false, Ordering::Relaxed)
    }
}
