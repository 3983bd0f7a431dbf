use diesel_event_store::sqlite::Synchronous;
use diesel_event_store::{ExpectedVersion, NewEvent, run_pending_migrations};
use test_support::sqlite_file::{SqliteFile, assert_intact, number};
use test_support::worker::{Worker, report, wait_for_the_others};

use super::database::{self, STORE, stream};

const PROCESSES: i64 = 8;
const ROUNDS: usize = 6;

/// The first thing that many an application does.
pub fn start(path: &str, _: &[String]) {
    wait_for_the_others();
    let mut conn = database::connect(path, Synchronous::Full);
    let applied = run_pending_migrations(&mut conn).unwrap();
    let started = NewEvent::new("Started", &()).unwrap();
    STORE.append(&mut conn, &stream("starts"), ExpectedVersion::Any, &[started]).unwrap();
    report(applied.len());
}

pub fn eight_at_once() {
    for _ in 0..ROUNDS {
        let database = SqliteFile::absent();
        let mut workers: Vec<_> =
            (0..PROCESSES).map(|_| Worker::start("start_up", &database.path(), &[])).collect();
        workers.iter().for_each(Worker::wait_until_ready);
        workers.iter_mut().for_each(|worker| worker.tell("go"));

        let applied: Vec<String> = workers.into_iter().flat_map(Worker::finish).collect();
        assert_eq!(applied.len() as i64, PROCESSES);
        assert_eq!(applied.iter().filter(|count| *count == "1").count(), 1, "who migrated: {applied:?}");
        let mut conn = database.connect();
        assert_eq!(number(&mut conn, "SELECT count(*) FROM events"), PROCESSES);
        assert_eq!(number(&mut conn, "SELECT count(*) FROM __diesel_schema_migrations"), 1);
        assert_intact(&mut conn);
    }
}
