//! Which streams were too short for a snapshot when this process has seen them last. On a server it costs as
//! much to ask whether there is a snapshot as to read some events, and most streams have none. What is known
//! here is a guess, which reading the stream confirms or not: another process may have appended to it.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::model::stream_id::StreamId;

/// A stream that comes to the same place as another one takes it over: 128 KiB hold the last ones.
const PLACES: usize = 1 << 14;

static SHORT: [AtomicUsize; PLACES] = [const { AtomicUsize::new(0) }; PLACES];

pub(super) fn have(stream: &StreamId) -> bool {
    let (place, hash) = place(stream);
    place.load(Ordering::Relaxed) == hash
}

pub(super) fn note(stream: &StreamId, is_short: bool) {
    let (place, hash) = place(stream);
    if is_short {
        place.store(hash, Ordering::Relaxed);
    } else {
        // Unless the place is another stream's by now.
        let _ = place.compare_exchange(hash, 0, Ordering::Relaxed, Ordering::Relaxed);
    }
}

fn place(stream: &StreamId) -> (&'static AtomicUsize, usize) {
    let mut hasher = DefaultHasher::new();
    stream.hash(&mut hasher);
    let hash = hasher.finish() as usize;
    (&SHORT[hash % PLACES], hash)
}
