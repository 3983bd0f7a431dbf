//! What the layer of aggregates costs, compared with the same by hand.

mod domain {
    pub mod execute;
}

use bench_support::bench::Bench;
use domain::execute;

fn main() {
    let mut bench = Bench::from_args();
    execute::compare(&mut bench);
    bench.finish();
}
