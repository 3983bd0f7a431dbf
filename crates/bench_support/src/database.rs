use std::env;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::Duration;

use diesel::prelude::*;
use diesel_event_store::sqlite::{Options, Synchronous};
use tempfile::TempDir;

use crate::payload::OrderPlaced;
use crate::raw::Result;
use crate::raw_store::{RawStore, now_text};
use crate::workload::aggregate_id;

/// On the disk of the build: the system's temporary folder may be in memory, where a sync costs nothing.
fn disk() -> PathBuf {
    let bench = env::current_exe().expect("a bench knows where it is");
    let target = bench.ancestors().nth(3).expect("target, profile and deps are above it");
    let folder = target.join("tmp");
    fs::create_dir_all(&folder).expect("a folder beside what was built");
    folder
}

/// A folder that is removed after the bench.
pub fn folder() -> TempDir {
    tempfile::tempdir_in(disk()).expect("a folder")
}

/// A new database with the tables of this crate and nothing in them.
pub fn empty(folder: &TempDir) -> PathBuf {
    let path = new_file(folder);
    create_tables(&path);
    path
}

/// A new database with streams of equal length, appended to in turns.
pub fn filled(folder: &TempDir, streams: usize, events_each: i64) -> PathBuf {
    let path = new_file(folder);
    fill(&path, streams, events_each);
    path
}

/// A copy of a kept database.
pub fn copy_of_filled(folder: &TempDir, streams: usize, events_each: i64) -> PathBuf {
    let copy = new_file(folder);
    fs::copy(kept(folder, streams, events_each), &copy).expect("room for a copy");
    // Otherwise the system would write it to the disk while the bench measures.
    File::open(&copy).and_then(|file| file.sync_all()).expect("a copy on the disk");
    copy
}

/// A database that is filled once for all runs, because a large one takes minutes. Benches only copy it.
pub fn kept(folder: &TempDir, streams: usize, events_each: i64) -> PathBuf {
    let original = disk().join(format!("{streams}-streams-of-{events_each}-{:x}.db", schema()));
    if !original.exists() {
        // It gets its name only once it is complete.
        fs::rename(filled(folder, streams, events_each), &original).expect("a name that is free");
    }
    original
}

/// A connection with an application's settings and a long busy timeout, because many callers keep each other
/// waiting.
pub fn connect(path: &Path, synchronous: Synchronous) -> SqliteConnection {
    let mut conn = SqliteConnection::establish(&path.display().to_string()).expect("a database file");
    let options = Options::default().synchronous(synchronous).busy_timeout(Duration::from_secs(300));
    options.apply(&mut conn).expect("the options");
    conn
}

/// Differs once the tables change: a database that was filled before is then of no use.
fn schema() -> u64 {
    let mut hasher = DefaultHasher::new();
    include_str!("../../../migrations/sqlite/00000000000100-des_create_event_store/up.sql").hash(&mut hasher);
    hasher.finish()
}

fn new_file(folder: &TempDir) -> PathBuf {
    let file = tempfile::Builder::new().suffix(".db").tempfile_in(folder).expect("a new file");
    file.into_temp_path().keep().expect("a file that stays")
}

fn create_tables(path: &Path) {
    let mut conn = SqliteConnection::establish(&path.display().to_string()).expect("a database file");
    diesel_event_store::run_pending_migrations(&mut conn).expect("the tables");
}

fn fill(path: &Path, streams: usize, events_each: i64) {
    create_tables(path);
    try_fill(path, streams, events_each).expect("a filled database");
}

fn try_fill(path: &Path, streams: usize, events_each: i64) -> Result<()> {
    const ROWS_IN_A_TRANSACTION: usize = 100_000;
    let mut store = RawStore::open(path, Synchronous::Normal)?;
    let payload = OrderPlaced::example().to_json();
    // Memory for the pages of the indexes, where streams are at random places.
    store.database().execute_batch("PRAGMA synchronous = off; PRAGMA cache_size = -2000000; BEGIN")?;
    let rows = (1..=events_each).flat_map(|version| (0..streams).map(move |stream| (version, stream)));
    for (row, (version, stream)) in rows.enumerate() {
        if row % ROWS_IN_A_TRANSACTION == 0 {
            store.database().execute_batch("COMMIT; BEGIN")?;
        }
        store.insert_event(&aggregate_id(stream), version, &payload, &now_text())?;
    }
    for stream in 0..streams {
        store.create_head(&aggregate_id(stream), events_each, &now_text())?;
    }
    store.database().execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)")
}
