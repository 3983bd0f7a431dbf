use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;
use std::thread;
use std::time::Duration;

use diesel::prelude::*;
use diesel_event_store::sqlite::Synchronous;
use diesel_event_store::transfer::{export, import};
use diesel_event_store::{ExpectedVersion, LogState, NewEvent};
use test_support::random::Random;
use test_support::sqlite_file::{SqliteFile, assert_intact};
use test_support::worker::{self, Worker, report};

use super::database::{self, STORE, stream};

const DONE: &str = "done";

/// Imports a file, and waits to be killed.
pub fn import_and_wait(path: &str, arguments: &[String]) {
    let mut conn = database::connect(path, Synchronous::Full);
    import(&mut conn, || Ok(BufReader::new(File::open(&arguments[0])?))).unwrap();
    report(DONE);
    worker::order();
}

/// Three batches, of which a process that is killed leaves some, until one of them comes to the end.
pub fn a_killed_import_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.jsonl");
    export_some(&path);
    let target = SqliteFile::migrated();
    let mut conn = database::connect(target.path(), Synchronous::Full);
    let (mut random, mut longest, mut met) = (Random::from_seed(15), 100, Vec::new());
    loop {
        let worker = Worker::start("import", &target.path(), &[path.display().to_string()]);
        thread::sleep(Duration::from_millis(random.below(longest)));
        if worker.kill().iter().any(|line| line == DONE) {
            break;
        }
        met.push(STORE.log_closed(&mut conn).unwrap().map(|closed| closed.state()));
        longest += longest / 3;
    }
    assert!(met.contains(&Some(LogState::Receiving)), "none was killed half-way: {met:?}");
    assert_intact(&mut conn);
    let mut again = Vec::new();
    export(&mut conn, &mut again).unwrap();
    assert!(again == fs::read(&path).unwrap(), "the log is another one");
    STORE.append(&mut conn, &stream(1), ExpectedVersion::Exact(1_000), &[counted(1)]).unwrap();
}

fn export_some(path: &Path) {
    let source = SqliteFile::migrated();
    let mut conn: SqliteConnection = source.connect();
    for aggregate in 0..12 {
        let events: Vec<_> = (0..1_000).map(counted).collect();
        STORE.append(&mut conn, &stream(aggregate), ExpectedVersion::NoStream, &events).unwrap();
    }
    export(&mut conn, File::create(path).unwrap()).unwrap();
}

fn counted(number: i64) -> NewEvent {
    NewEvent::new("Counted", &number).unwrap()
}
