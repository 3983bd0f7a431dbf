use std::cell::{Cell, RefCell};
use std::rc::Rc;

use uuid::Uuid;

/// Which stream is appended to next, and its version. The same seed gives the same sequence, so two databases
/// that begin equal stay equal.
///
/// Of ten appends, one begins a new stream and nine continue a random existing one.
///
/// A clone continues where this one is, as a second connection to the same database must.
#[derive(Clone)]
pub struct Workload(Rc<RefCell<State>>);

struct State {
    /// The number of the first stream.
    first: usize,
    versions: Vec<i64>,
    appends: u64,
}

pub struct Append {
    pub aggregate_id: String,
    /// 0 for a stream that does not exist yet.
    pub version: i64,
}

impl Workload {
    /// Begins with this many streams, all at the same version.
    pub fn new(streams: usize, version: i64) -> Self {
        Self(Rc::new(RefCell::new(State { first: 0, versions: vec![version; streams], appends: 0 })))
    }

    /// Begins without streams, and uses streams that no other caller appends to.
    pub fn of_caller(number: usize) -> Self {
        let first = number * 1_000_000_000;
        Self(Rc::new(RefCell::new(State { first, versions: Vec::new(), appends: 0 })))
    }

    pub fn next(&self, events: usize) -> Append {
        let mut state = self.0.borrow_mut();
        let stream = state.choose();
        let version = state.versions[stream];
        state.versions[stream] += i64::try_from(events).expect("a short batch");
        Append { aggregate_id: aggregate_id(state.first + stream), version }
    }
}

impl State {
    fn choose(&mut self) -> usize {
        self.appends += 1;
        if self.versions.is_empty() || self.appends % 10 == 0 {
            self.versions.push(0);
            return self.versions.len() - 1;
        }
        usize::try_from(scatter(self.appends)).expect("64 bits") % self.versions.len()
    }
}

/// Random streams out of so many. Two that begin together choose the same ones; a clone continues where this
/// one is.
#[derive(Clone)]
pub struct RandomStreams {
    streams: usize,
    chosen: Rc<Cell<u64>>,
}

impl RandomStreams {
    pub fn among(streams: usize) -> Self {
        Self { streams, chosen: Rc::default() }
    }

    /// Streams that nobody has appended to: there are so many that none is chosen twice.
    pub fn new_ones() -> Self {
        Self::among(usize::MAX)
    }

    pub fn next_id(&self) -> String {
        let number = scatter(self.chosen.replace(self.chosen.get() + 1));
        aggregate_id(usize::try_from(number).expect("64 bits") % self.streams)
    }
}

/// UUIDs, as in applications: they are anywhere in the index.
pub fn aggregate_id(stream: usize) -> String {
    let stream = u64::try_from(stream).expect("64 bits");
    Uuid::from_u64_pair(scatter(stream), scatter(!stream)).to_string()
}

/// The finaliser of SplitMix64: it scatters consecutive numbers.
pub fn scatter(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
