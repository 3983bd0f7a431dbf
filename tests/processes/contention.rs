use std::collections::HashMap;
use std::sync::mpsc::{self, TryRecvError};
use std::thread;

use diesel::prelude::*;
use diesel_event_store::sqlite::Synchronous;
use diesel_event_store::{
    AppendError, Error, ExpectedVersion, LogQuery, NewEvent, Position, RecordedEvent, StreamId,
};
use test_support::random::Random;
use test_support::sqlite_file::{SqliteFile, assert_intact, number};
use test_support::worker::{Worker, order, report, wait_for_the_others};

use super::database::{self, STORE, stream};

const WRITERS: u64 = 8;
const APPENDS: usize = 250;
const AGGREGATES: u64 = 5;

/// Appends to the same few aggregates as everybody else, and reports what it has won: events, and conflicts
/// on the way.
pub fn compete(path: &str, arguments: &[String]) {
    let [mode, seed] = arguments else { panic!("compete DATABASE MODE SEED") };
    let mut random = Random::from_seed(seed.parse().unwrap());
    let mut conn = database::connect(path, Synchronous::Normal);
    wait_for_the_others();
    let (mut won, mut conflicts) = (0, 0);
    for _ in 0..APPENDS {
        let to = stream(random.below(AGGREGATES));
        let events = some_events(&mut random);
        if mode == "exact" {
            conflicts += append_exactly(&mut conn, &to, &events);
        } else {
            roll_back_sometimes(&mut conn, &to, &mut random);
            STORE.append(&mut conn, &to, ExpectedVersion::Any, &events).unwrap();
        }
        won += events.len();
    }
    report(format!("{won} {conflicts}"));
}

fn some_events(random: &mut Random) -> Vec<NewEvent> {
    let size = 1 + random.below(3);
    (0..size).map(|_| NewEvent::new(["Even", "Odd"][random.below(2) as usize], &()).unwrap()).collect()
}

/// Reads the version and appends, until nobody was faster. Returns how often somebody was.
fn append_exactly(conn: &mut SqliteConnection, to: &StreamId, events: &[NewEvent]) -> usize {
    (0..)
        .find(|_| {
            let version = STORE.version(conn, to).unwrap();
            match STORE.append(conn, to, ExpectedVersion::Exact(version), events) {
                Ok(appended) => {
                    assert_eq!(appended.previous_version(), version);
                    true
                }
                Err(AppendError::Conflict(conflict)) => {
                    assert!(conflict.actual > version, "{conflict}");
                    false
                }
                Err(error) => panic!("{error}"),
            }
        })
        .expect("it goes on until it wins")
}

fn roll_back_sometimes(conn: &mut SqliteConnection, to: &StreamId, random: &mut Random) {
    if random.below(10) == 0 {
        let withdrawn = [NewEvent::new("Withdrawn", &()).unwrap()];
        let rolled_back = conn.transaction::<(), Error, _>(|conn| {
            STORE.append(conn, to, ExpectedVersion::Any, &withdrawn)?;
            Err(diesel::result::Error::RollbackTransaction.into())
        });
        rolled_back.unwrap_err();
    }
}

/// Follows the log from its beginning, in small bites, until it has scanned to the position it is told, and
/// reports each event. With an argument only events of that type.
pub fn tail(path: &str, arguments: &[String]) {
    let mut conn = database::connect(path, Synchronous::Normal);
    report("ready");
    let (told, end) = mpsc::channel();
    thread::spawn(move || told.send(order().parse::<i64>().unwrap()));

    let mut scanned_to = Position::START;
    let mut until = None;
    while until.is_none_or(|until| scanned_to.get() < until) {
        let query = match arguments {
            [event_type] => LogQuery::after(scanned_to).event_types([event_type]),
            _ => LogQuery::after(scanned_to),
        };
        let slice = STORE.read_log(&mut conn, &query, 7).unwrap();
        slice.events().iter().for_each(|event| report(line(event)));
        assert!(slice.scanned_to() >= scanned_to);
        scanned_to = slice.scanned_to();
        match end.try_recv() {
            Ok(position) => until = Some(position),
            Err(TryRecvError::Empty) => thread::yield_now(),
            Err(TryRecvError::Disconnected) => assert!(until.is_some(), "the test is gone"),
        }
    }
}

fn line(event: &RecordedEvent) -> String {
    let (position, version) = (event.position(), event.version());
    format!("{position} {} {version} {} {}", event.aggregate_id(), event.event_type(), event.id())
}

pub fn with_exact() {
    let conflicts = compete_and_follow("exact");
    assert!(conflicts > 0, "the writers have not met");
}

pub fn with_any() {
    let conflicts = compete_and_follow("any");
    assert_eq!(conflicts, 0);
}

/// Returns how many conflicts there were.
fn compete_and_follow(mode: &str) -> usize {
    let mut random = Random::for_test(mode);
    let database = SqliteFile::migrated();
    let mut readers =
        [&[][..], &["Odd".to_owned()]].map(|filter| Worker::start("tail", &database.path(), filter));
    readers.iter().for_each(Worker::wait_until_ready);
    let mut writers: Vec<_> = (0..WRITERS)
        .map(|_| Worker::start("compete", &database.path(), &[mode.to_owned(), random.draw().to_string()]))
        .collect();
    writers.iter().for_each(Worker::wait_until_ready);
    writers.iter_mut().for_each(|writer| writer.tell("go"));

    let (mut won, mut conflicts) = (0, 0);
    for writer in writers {
        let report = writer.finish().pop().unwrap();
        let (events, lost) = report.split_once(' ').unwrap();
        won += events.parse::<i64>().unwrap();
        conflicts += lost.parse::<usize>().unwrap();
    }
    let mut conn = database.connect();
    assert_eq!(number(&mut conn, "SELECT count(*) FROM events"), won);
    assert_intact(&mut conn);

    let events =
        STORE.iter_log(&mut conn, LogQuery::after(Position::START)).collect::<Result<Vec<_>, _>>().unwrap();
    let last = events.last().unwrap().position();
    readers.iter_mut().for_each(|reader| reader.tell(last));
    let [everything, odd] = readers.map(Worker::finish);
    assert_same("the reader of everything", &everything, events.iter());
    assert_same("the reader with a filter", &odd, events.iter().filter(|event| event.event_type() == "Odd"));
    assert_versions_grow(&events);
    conflicts
}

/// Each event once, and in the order of the log.
fn assert_same<'e>(who: &str, seen: &[String], recorded: impl Iterator<Item = &'e RecordedEvent>) {
    let recorded: Vec<String> = recorded.map(line).collect();
    let difference = seen.iter().zip(&recorded).find(|(seen, recorded)| seen != recorded);
    assert_eq!(difference, None, "{who} has seen the first of these instead of the second");
    assert_eq!(seen.len(), recorded.len(), "{who} has seen fewer or more events than there are");
}

fn assert_versions_grow(events: &[RecordedEvent]) {
    let mut versions: HashMap<&str, i64> = HashMap::new();
    for event in events {
        let version = versions.entry(event.aggregate_id()).or_default();
        *version += 1;
        assert_eq!(event.version(), *version, "of {}", event.stream());
    }
    assert_eq!(versions.len() as u64, AGGREGATES);
}
