//! A log to a file and back, compared with reading it and with bare inserts of the same rows; and a log that
//! moves to another database. The environment variable `EVENTS` says how many events it has (default:
//! 100,000).
//!
//! An export is to take at most 1.43 times as long as reading, and an import as bare inserts: 0.7 of their
//! speed.

use std::env;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bench_support::bench::Bench;
use bench_support::database;
use bench_support::payload::OrderPlaced;
use bench_support::raw_store::{RawStore, now_text};
use bench_support::side::Side;
use bench_support::workload::aggregate_id;
use diesel_event_store::sqlite::Synchronous;
use diesel_event_store::transfer::{CopyOptions, copy, export, import, reclaim};
use diesel_event_store::{EventStore, LogQuery, Position};
use tempfile::TempDir;

const EVENTS_EACH: i64 = 10;
const PATIENCE: Duration = Duration::from_secs(30);

fn main() {
    let mut bench = Bench::from_args();
    let folder = database::folder();
    let events = bench.size(wanted_events(), 2_000);
    let shop = database::copy_of_filled(&folder, events / 10, EVENTS_EACH);
    let name = |what: &str| format!("{what} a log of {events} events");

    let sides = || vec![exporting(&folder, &shop, events), reading(&shop, events)];
    bench.compare(&name("export"), 1, sides, &[(0, 1)]);
    let file = exported(&folder, &shop);
    let sides = || {
        vec![
            importing(&folder, &file, events),
            copying(&folder, &shop, events),
            inserting(&folder, events / 10),
        ]
    };
    bench.compare(&name("import or copy"), 1, sides, &[(0, 2), (1, 2)]);
    bench.finish();
}

fn wanted_events() -> usize {
    env::var("EVENTS").map_or(100_000, |events| events.parse().expect("EVENTS is a number of events"))
}

fn exporting(folder: &TempDir, shop: &Path, events: usize) -> Side {
    let (file, shop) = (folder.path().join("exported"), shop.to_owned());
    Side::new("export", move || {
        let (file, mut conn) = (file.clone(), database::connect(&shop, Synchronous::Normal));
        // ext4 waits for the disk when a file is closed that was emptied before.
        fs::remove_file(&file).ok();
        move || {
            let exported = export(&mut conn, File::create(&file).expect("a file")).expect("the log");
            assert_eq!(exported.events(), events as u64);
        }
    })
}

fn reading(shop: &Path, events: usize) -> Side {
    let shop = shop.to_owned();
    Side::new("reading", move || {
        let mut conn = database::connect(&shop, Synchronous::Normal);
        move || {
            let mut log = EventStore::new().iter_log(&mut conn, LogQuery::after(Position::START));
            let read = log.try_fold(0, |read, event| event.map(|_| read + 1));
            assert_eq!(read.expect("events"), events);
        }
    })
}

fn exported(folder: &TempDir, shop: &Path) -> PathBuf {
    let file = folder.path().join("log");
    let mut conn = database::connect(shop, Synchronous::Normal);
    export(&mut conn, File::create(&file).expect("a file")).expect("the log");
    file
}

fn importing(folder: &TempDir, file: &Path, events: usize) -> Side {
    let (empty, file) = (Empty::new(folder, "imported"), file.to_owned());
    Side::new("import", move || {
        let (empty, file) = (empty.clone(), file.clone());
        move || {
            let mut conn = database::connect(&empty.again(), Synchronous::Normal);
            let imported = import(&mut conn, || Ok(BufReader::new(File::open(&file)?))).expect("the file");
            assert_eq!(imported.events(), events as u64);
        }
    })
}

/// With the switch. Then the source takes events again, for the next time.
fn copying(folder: &TempDir, shop: &Path, events: usize) -> Side {
    let (empty, shop) = (Empty::new(folder, "copied"), shop.to_owned());
    Side::new("copy", move || {
        let empty = empty.clone();
        let mut source = database::connect(&shop, Synchronous::Normal);
        move || {
            let mut target = database::connect(&empty.again(), Synchronous::Normal);
            let copied = copy(&mut source, &mut target, &CopyOptions::to("elsewhere"), |_| true);
            assert_eq!(copied.expect("the copy").events(), events as u64);
            reclaim(&mut source, PATIENCE).expect("it has moved");
        }
    })
}

/// All in one transaction, heads included.
fn inserting(folder: &TempDir, streams: usize) -> Side {
    let empty = Empty::new(folder, "inserted");
    Side::new("bare inserts", move || {
        let empty = empty.clone();
        move || insert(&empty.again(), streams).expect("the rows")
    })
}

fn insert(path: &Path, streams: usize) -> bench_support::raw::Result<()> {
    let mut store = RawStore::open(path, Synchronous::Normal)?;
    let payload = OrderPlaced::example().to_json();
    store.database().execute_batch("BEGIN")?;
    for version in 1..=EVENTS_EACH {
        for stream in 0..streams {
            store.insert_event(&aggregate_id(stream), version, &payload, &now_text())?;
        }
    }
    for stream in 0..streams {
        store.create_head(&aggregate_id(stream), EVENTS_EACH, &now_text())?;
    }
    store.database().execute_batch("COMMIT")
}

/// A database that is empty each time.
#[derive(Clone)]
struct Empty {
    original: PathBuf,
    path: PathBuf,
}

impl Empty {
    fn new(folder: &TempDir, name: &str) -> Self {
        Self { original: database::empty(folder), path: folder.path().join(name) }
    }

    /// The last connection has been closed, so there are no other files of it.
    fn again(&self) -> PathBuf {
        fs::copy(&self.original, &self.path).expect("room for a copy");
        self.path.clone()
    }
}
