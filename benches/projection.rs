//! What a projection costs compared with reading the log without one and with the same upserts in a bare loop
//! of transactions; how long after its commit an event is applied; and what an idle runner does.

mod projection {
    pub mod idle;
    pub mod latency;
    pub mod nothing;
    pub mod running;
    pub mod shared_rows;
    pub mod upserts;
}

use bench_support::bench::Bench;
use diesel_event_store::sqlite::Synchronous;
use projection::{idle, latency, nothing, shared_rows, upserts};

fn main() {
    let mut bench = Bench::from_args();
    let events = bench.size(100_000, 2_000);
    for batch_size in [100, 1_000] {
        nothing::compare(&mut bench, events, batch_size, Synchronous::Normal);
        upserts::compare(&mut bench, events, batch_size, Synchronous::Normal);
    }
    nothing::compare(&mut bench, events, 1_000, Synchronous::Full);
    upserts::compare(&mut bench, events, 100, Synchronous::Full);

    let shared = bench.size(100_000, 2_000);
    shared_rows::compare(&mut bench, shared);

    let appends = bench.size(2_000, 20);
    let (minute, half_a_minute) = (bench.size(61, 1), bench.size(31, 1));
    bench.finish();
    if is_wanted("latency") {
        latency::measure(appends);
    }
    if is_wanted("idle") {
        idle::measure(1, minute);
        idle::measure(4, half_a_minute);
    }
}

/// Chooses the parts that measure no ratio by name, as criterion does.
fn is_wanted(name: &str) -> bool {
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    wanted.is_empty() || wanted.iter().any(|wanted| name.contains(wanted.as_str()))
}
