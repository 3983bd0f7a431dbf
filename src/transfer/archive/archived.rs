/// What [`remove_archived`](super::remove_archived) has removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Archived {
    pub(super) streams: u64,
    pub(super) events: u64,
    pub(super) kept: u64,
}

impl Archived {
    /// How many streams, by this call.
    pub fn streams(&self) -> u64 {
        self.streams
    }

    /// How many events.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// How many streams of the file stay, because they have gone on since it was written.
    pub fn kept(&self) -> u64 {
        self.kept
    }
}
