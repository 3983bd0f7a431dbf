//! The comparisons that every server runs.

use crate::report::Report;
use crate::side::Side;
use crate::store::Store;
use bench_support::payload::OrderPlaced;
use bench_support::workload::{RandomStreams, Workload};

pub const EVENTS_EACH: usize = 10;
pub const PAGE: usize = 1_000;

/// Compares appends on two empty databases.
pub fn append(report: &Report, name: &str, mut ours: impl Store, mut raw: impl Store, events: usize) {
    let payloads = vec![OrderPlaced::example(); events];
    let (of_ours, of_raw) = (Workload::new(0, 0), Workload::new(0, 0));
    let sides = vec![
        Side::new("ours", || ours.append(&of_ours.next(events), &payloads)),
        Side::new("raw", || raw.append(&of_raw.next(events), &payloads)),
    ];
    report.times(name, 50, sides, &[(0, 1)]);
}

/// Compares loading streams, on a database with this many streams of this many events.
pub fn load_streams(
    report: &Report,
    name: &str,
    (mut ours, mut raw): (impl Store, impl Store),
    streams: usize,
    events: usize,
) {
    let expected = (i64::try_from(events).expect("a count"), cents(events));
    let [of_ours, of_raw] = [(); 2].map(|()| RandomStreams::among(streams));
    let sides = vec![
        Side::new("ours", || assert_eq!(ours.read_stream(&of_ours.next_id()), expected)),
        Side::new("raw", || assert_eq!(raw.read_stream(&of_raw.next_id()), expected)),
    ];
    let block = if events > 100 { 2 } else { 50 };
    report.times(name, block, sides, &[(0, 1)]);
}

/// Compares reading the log, on a database with this many events. `unbounded` reads a page without asking for
/// the safe position.
pub fn read_log(
    report: &Report,
    (mut ours, mut raw): (impl Store, impl Store),
    mut unbounded: impl FnMut(i64) -> (i64, u64),
    events: usize,
) {
    let sides = vec![
        Side::new("ours", || read_all(events, |after| ours.read_page(after, PAGE))),
        Side::new("raw", || read_all(events, |after| raw.read_page(after, PAGE))),
        Side::new("raw, without asking up to where", || read_all(events, &mut unbounded)),
    ];
    let name = format!("read the log, {} pages of 1,000 events", events / PAGE);
    report.times(&name, 1, sides, &[(0, 1), (1, 2)]);
}

/// As many events as the database has.
pub fn read_all(events: usize, mut page: impl FnMut(i64) -> (i64, u64)) {
    let (mut position, mut sum) = (0, 0);
    for _ in 0..events / PAGE {
        let (last, of_page) = page(position);
        (position, sum) = (last, sum + of_page);
    }
    assert_eq!(sum, cents(events));
}

fn cents(events: usize) -> u64 {
    OrderPlaced::CENTS * u64::try_from(events).expect("64 bits")
}
