//! Appends of one event and of ten, each in its own transaction, compared with the same statements through
//! SQLite's own functions.

use std::rc::Rc;

use bench_support::bench::Bench;
use bench_support::database;
use bench_support::ours::OurStore;
use bench_support::payload::OrderPlaced;
use bench_support::raw_store::RawStore;
use bench_support::side::Side;
use bench_support::workload::Workload;
use diesel_event_store::sqlite::Synchronous;
use tempfile::TempDir;

fn main() {
    let mut bench = Bench::from_args();
    for (synchronous, setting) in [(Synchronous::Normal, "NORMAL"), (Synchronous::Full, "FULL")] {
        compare(&mut bench, &format!("append 1 event, synchronous={setting}"), synchronous, 1);
        compare(&mut bench, &format!("append 10 events, synchronous={setting}"), synchronous, 10);
    }
    bench.finish();
}

fn compare(bench: &mut Bench, name: &str, synchronous: Synchronous, events: usize) {
    let folder = database::folder();
    let payloads = vec![OrderPlaced::example(); events];
    // Fewer pages than the thousand after which SQLite copies its log into the file.
    let block = if events == 1 { 50 } else { 15 };
    let sides = || vec![ours(&folder, synchronous, &payloads), raw(&folder, synchronous, &payloads)];
    bench.compare(name, block, sides, &[(0, 1)]);
}

fn ours(folder: &TempDir, synchronous: Synchronous, payloads: &[OrderPlaced]) -> Side {
    let (path, workload) = (database::empty(folder), Workload::new(0, 0));
    let payloads: Rc<[OrderPlaced]> = payloads.into();
    Side::new("ours", move || {
        let mut store = OurStore::open(&path, synchronous);
        let (workload, payloads) = (workload.clone(), Rc::clone(&payloads));
        move || {
            store.append(&workload.next(payloads.len()), &payloads);
        }
    })
}

fn raw(folder: &TempDir, synchronous: Synchronous, payloads: &[OrderPlaced]) -> Side {
    let (path, workload) = (database::empty(folder), Workload::new(0, 0));
    let payloads: Rc<[OrderPlaced]> = payloads.into();
    Side::new("raw", move || {
        let mut store = RawStore::open(&path, synchronous).expect("a database");
        let (workload, payloads) = (workload.clone(), Rc::clone(&payloads));
        move || {
            store.append(&workload.next(payloads.len()), &payloads).expect("the append");
        }
    })
}
