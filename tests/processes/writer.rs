use std::collections::HashMap;
use std::env;
use std::thread;

use diesel::connection::SimpleConnection;
use diesel_event_store::sqlite::{Synchronous, WriteError, Writer};
use diesel_event_store::uuid::Uuid;
use diesel_event_store::{AppendError, Error, ExpectedVersion, NewEvent};
use test_support::random::Random;
use test_support::sqlite_file::{SqliteFile, assert_intact, number};
use test_support::worker::{Worker, report, wait_for_the_others};

use super::crash::{
    Place, acknowledge, acknowledged, assert_all_recorded, assert_no_half_batch, run_and_kill, some_batch,
};
use super::database::{self, STORE, stream};

const CALLERS: u64 = 64;
const AGGREGATES: u64 = 5;

/// Many callers of one writer, each of which appends for ever and reports what it is told is recorded.
pub fn group(path: &str, arguments: &[String]) {
    let writer = open(path);
    let seed: u64 = arguments[0].parse().unwrap();
    thread::scope(|scope| {
        for caller in 0..CALLERS {
            let (writer, mut random) = (&writer, Random::from_seed(seed.wrapping_add(caller)));
            scope.spawn(move || {
                loop {
                    match random.below(4) {
                        0 => order(writer, &mut random),
                        _ => append(writer, &mut random),
                    }
                }
            });
        }
    });
}

fn open(path: &str) -> Writer {
    let mut conn = database::connect(path, Synchronous::Full);
    // Seldom enough to let the write-ahead log grow, often enough to be killed while it is written back.
    conn.batch_execute("PRAGMA wal_autocheckpoint = 30").unwrap();
    Writer::new(conn).unwrap()
}

fn append(writer: &Writer, random: &mut Random) {
    let to = stream(random.below(AGGREGATES));
    let appended = writer.append(&to, ExpectedVersion::Any, some_batch(random).unwrap()).wait().unwrap();
    acknowledge(&appended);
}

/// A row of the application's and its events, by a closure. Some closures change their minds at the end.
fn order(writer: &Writer, random: &mut Random) {
    let (to, events, withdrawn) =
        (stream(random.below(AGGREGATES)), some_batch(random).unwrap(), random.below(3) == 0);
    let ordered = writer.transaction(move |conn| {
        let id = events[0].id();
        conn.batch_execute(&format!("INSERT INTO orders VALUES ('{id}')"))?;
        let appended = STORE.append(conn, &to, ExpectedVersion::Any, &events)?;
        if withdrawn {
            Err(diesel::result::Error::RollbackTransaction.into())
        } else {
            Ok::<_, Error>(appended)
        }
    });
    match ordered.wait() {
        Ok(appended) => acknowledge(&appended),
        Err(error) => assert!(withdrawn, "{error}"),
    }
}

/// `KILLS` in the environment says how many.
pub fn nothing_acknowledged_by_a_writer_is_lost() {
    let kills: usize = env::var("KILLS").map_or(20, |kills| kills.parse().expect("KILLS is a number"));
    let mut random = Random::for_test("nothing_acknowledged_by_a_writer_is_lost");
    let database = SqliteFile::migrated();
    database.connect().batch_execute("CREATE TABLE orders (event TEXT PRIMARY KEY)").unwrap();
    let mut told: HashMap<Uuid, Place> = HashMap::new();
    for _ in 0..kills {
        let lines = run_and_kill("group", &database, 10 * CALLERS, &mut random);
        told.extend(lines.iter().flat_map(|line| acknowledged(line)));

        let mut conn = database.connect();
        assert_intact(&mut conn);
        assert_no_half_batch(&mut conn);
        let alone = "SELECT count(*) FROM orders WHERE event NOT IN (SELECT event_id FROM events)";
        assert_eq!(number(&mut conn, alone), 0, "orders without their events");
        assert!(number(&mut conn, "SELECT count(*) FROM events") >= told.len() as i64);
    }
    assert!(told.len() > kills);
    let recorded = number(&mut database.connect(), "SELECT count(*) FROM events");
    eprintln!("{kills} kills, {} events acknowledged and found, of {recorded} recorded", told.len());
    assert_all_recorded(&mut database.connect(), told);
}

const PROCESSES: usize = 4;
const CALLERS_EACH: usize = 8;
const APPENDS: usize = 50;

/// Several callers count on the same few streams, against those of the other processes.
pub fn count(path: &str, _: &[String]) {
    let writer = Writer::new(database::connect(path, Synchronous::Normal)).unwrap();
    wait_for_the_others();
    let conflicts: usize = thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS_EACH).map(|_| scope.spawn(|| count_up(&writer))).collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).sum()
    });
    report(conflicts);
}

/// Returns how often somebody was faster.
fn count_up(writer: &Writer) -> usize {
    let (mut version, mut conflicts, mut won) = (0, 0, 0);
    while won < APPENDS {
        let counted = [NewEvent::new("Counted", &()).unwrap()];
        match writer.append(&stream("shared"), ExpectedVersion::Exact(version), counted).wait() {
            Ok(appended) => (version, won) = (appended.version(), won + 1),
            Err(WriteError::Append(AppendError::Conflict(conflict))) => {
                (version, conflicts) = (conflict.actual, conflicts + 1)
            }
            Err(other) => panic!("{other}"),
        }
    }
    conflicts
}

pub fn a_writer_in_each_of_several_processes() {
    let database = SqliteFile::migrated();
    let mut workers: Vec<_> = (0..PROCESSES).map(|_| Worker::start("count", &database.path(), &[])).collect();
    workers.iter().for_each(Worker::wait_until_ready);
    workers.iter_mut().for_each(|worker| worker.tell("go"));
    let reports = workers.into_iter().flat_map(Worker::finish);
    let conflicts: usize = reports.map(|conflicts| conflicts.parse::<usize>().unwrap()).sum();
    assert!(conflicts > 0, "the processes have not met");
    let mut conn = database.connect();
    let events = number(&mut conn, "SELECT count(*) FROM events");
    assert_eq!(events, (PROCESSES * CALLERS_EACH * APPENDS) as i64);
    assert_intact(&mut conn);
}
