//! What typed events and aggregates cost, compared with the same by hand.

mod domain {
    pub mod decode;
    pub mod execute;
    pub mod keys;
    pub mod snapshots;
}

use bench_support::bench::Bench;
use domain::{decode, execute, keys, snapshots};

fn main() {
    let mut bench = Bench::from_args();
    decode::compare(&mut bench);
    execute::compare(&mut bench);
    keys::compare(&mut bench);
    snapshots::compare(&mut bench);
    bench.finish();
}
