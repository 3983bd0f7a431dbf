//! One half of a work on a thread of its own: what one half reads, the other uses, and neither waits while there is
//! something to do.

use std::io;
use std::iter;
use std::mem;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// Of items that are handed over together, and how many of these parcels may wait.
const ITEMS: usize = 256;
const BYTES: usize = 1 << 20;
const PARCELS: usize = 2;

/// The other half has ended, and takes no more.
#[derive(Debug)]
pub(super) struct Ended;

/// Where one half puts what the other one uses.
pub(super) struct Feed<T> {
    parcel: Vec<T>,
    bytes: usize,
    parcels: SyncSender<Vec<T>>,
}

impl<T> Feed<T> {
    fn new(parcels: SyncSender<Vec<T>>) -> Self {
        Self { parcel: Vec::new(), bytes: 0, parcels }
    }

    /// `bytes` is about what it holds in memory.
    pub(super) fn give(&mut self, item: T, bytes: usize) -> Result<(), Ended> {
        self.parcel.push(item);
        self.bytes += bytes;
        if self.parcel.len() == ITEMS || self.bytes >= BYTES { self.hand_over() } else { Ok(()) }
    }

    fn hand_over(&mut self) -> Result<(), Ended> {
        self.bytes = 0;
        self.parcels.send(mem::take(&mut self.parcel)).map_err(|_| Ended)
    }
}

/// Reads here, and uses there.
pub(super) fn used_beside<T, A, B>(
    read: impl FnOnce(&mut Feed<T>) -> A,
    use_up: impl FnOnce(&mut dyn Iterator<Item = T>) -> B + Send,
) -> io::Result<(A, B)>
where
    T: Send,
    B: Send,
{
    thread::scope(|scope| {
        let (parcels, incoming) = sync_channel(PARCELS);
        let other = thread::Builder::new().spawn_scoped(scope, || use_up(&mut items(incoming)))?;
        let read = fed(parcels, read);
        Ok((read, other.join().unwrap_or_else(|panic| resume_unwind(panic))))
    })
}

/// Reads there, and uses here.
pub(super) fn read_beside<T, A, B>(
    read: impl FnOnce(&mut Feed<T>) -> A + Send,
    use_up: impl FnOnce(&mut dyn Iterator<Item = T>) -> B,
) -> io::Result<(A, B)>
where
    T: Send,
    A: Send,
{
    thread::scope(|scope| {
        let (parcels, incoming) = sync_channel(PARCELS);
        let other = thread::Builder::new().spawn_scoped(scope, || fed(parcels, read))?;
        let used = use_up(&mut items(incoming));
        Ok((other.join().unwrap_or_else(|panic| resume_unwind(panic)), used))
    })
}

fn fed<T, A>(parcels: SyncSender<Vec<T>>, read: impl FnOnce(&mut Feed<T>) -> A) -> A {
    let mut feed = Feed::new(parcels);
    let read = read(&mut feed);
    let _ = feed.hand_over(); // who has ended says why
    read
}

/// Until nothing comes any more. Dropped before that, it takes no more.
fn items<T>(incoming: Receiver<Vec<T>>) -> impl Iterator<Item = T> {
    iter::from_fn(move || incoming.recv().ok()).flatten()
}
