//! What typed events and aggregates cost, compared with the same by hand.

mod domain {
    pub mod decode;
    pub mod execute;
}

use bench_support::bench::Bench;
use domain::{decode, execute};

fn main() {
    let mut bench = Bench::from_args();
    decode::compare(&mut bench);
    execute::compare(&mut bench);
    bench.finish();
}
