use std::collections::HashMap;
use std::hint;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_event_store::sqlite::Synchronous;
use diesel_event_store::uuid::Uuid;
use diesel_event_store::{Appended, Error, ExpectedVersion, LogQuery, NewEvent, Position};
use test_support::random::Random;
use test_support::sqlite_file::{SqliteFile, assert_intact, number};
use test_support::worker::{Worker, report};

use super::database::{self, STORE, stream};

const AGGREGATES: u64 = 5;

/// Appends for ever, in batches, and reports each event once `append` has returned.
pub fn append(path: &str, arguments: &[String]) {
    let (mut conn, mut random) = begin(path, arguments);
    loop {
        let appended = append_batch(&mut conn, &mut random).unwrap();
        acknowledge(&appended);
    }
}

/// Takes orders for ever: a row of the application's and its events in one transaction.
pub fn order(path: &str, arguments: &[String]) {
    let (mut conn, mut random) = begin(path, arguments);
    loop {
        let appended = conn.immediate_transaction::<_, Error, _>(|conn| {
            // Sometimes the row is written before the events, sometimes after them.
            let row_first = random.below(2) == 0;
            let number = number(conn, "SELECT coalesce(max(number), 0) + 1 FROM orders");
            let row = diesel::sql_query("INSERT INTO orders VALUES (?)")
                .bind::<diesel::sql_types::BigInt, _>(number);
            let placed = [NewEvent::new("Placed", &number)?, NewEvent::new("Reserved", &number)?];
            if row_first {
                row.execute(conn)?;
                return Ok(STORE.append(conn, &stream(number), ExpectedVersion::NoStream, &placed)?);
            }
            let appended = STORE.append(conn, &stream(number), ExpectedVersion::NoStream, &placed)?;
            row.execute(conn)?;
            Ok(appended)
        });
        acknowledge(&appended.unwrap());
    }
}

fn begin(path: &str, arguments: &[String]) -> (SqliteConnection, Random) {
    let mut conn = database::connect(path, Synchronous::Full);
    // Seldom enough to let the write-ahead log grow, often enough to be killed while it is written back.
    conn.batch_execute("PRAGMA wal_autocheckpoint = 30").unwrap();
    (conn, Random::from_seed(arguments[0].parse().unwrap()))
}

fn append_batch(conn: &mut SqliteConnection, random: &mut Random) -> Result<Appended, Error> {
    let events = some_batch(random)?;
    Ok(STORE.append(conn, &stream(random.below(AGGREGATES)), ExpectedVersion::Any, &events)?)
}

/// Events that know how many they are.
pub fn some_batch(random: &mut Random) -> Result<Vec<NewEvent>, Error> {
    let (batch, size) = (random.draw(), 1 + random.below(5));
    let payload = "x".repeat(random.below(3000) as usize);
    let events = (0..size).map(|_| NewEvent::new("Counted", &payload)?.metadata(&(batch.to_string(), size)));
    Ok(events.collect::<Result<_, _>>()?)
}

pub fn acknowledge(appended: &Appended) {
    let events = appended.events().iter();
    let places = events.map(|event| {
        format!("{} {} {} {}", event.position(), event.aggregate_id(), event.version(), event.id())
    });
    report(places.collect::<Vec<_>>().join(","));
}

/// Where the worker was told an event is.
#[derive(Debug, PartialEq)]
pub struct Place {
    position: i64,
    aggregate_id: String,
    version: i64,
}

pub fn acknowledged(line: &str) -> impl Iterator<Item = (Uuid, Place)> + '_ {
    line.split(',').map(|event| {
        let mut words = event.split(' ');
        let mut word = || words.next().unwrap();
        let (position, aggregate_id, version) = (word(), word(), word());
        let place = Place {
            position: position.parse().unwrap(),
            aggregate_id: aggregate_id.to_owned(),
            version: version.parse().unwrap(),
        };
        (word().parse().unwrap(), place)
    })
}

/// Starts a worker, lets it acknowledge some of its work, less than `lines`, and kills it in the middle of
/// something. Returns every line it has managed to report.
pub fn run_and_kill(job: &str, database: &SqliteFile, lines: u64, random: &mut Random) -> Vec<String> {
    let worker = Worker::start(job, &database.path(), &[random.draw().to_string()]);
    let mut lines: Vec<String> =
        (0..random.below(lines)).map(|_| worker.line().expect("it goes on for ever")).collect();
    for _ in 0..random.below(100_000) {
        hint::spin_loop();
    }
    lines.extend(worker.kill());
    lines
}

pub fn nothing_acknowledged_is_lost() {
    const KILLS: usize = 120;
    let mut random = Random::for_test("nothing_acknowledged_is_lost");
    let database = SqliteFile::migrated();
    let mut told: HashMap<Uuid, Place> = HashMap::new();
    for _ in 0..KILLS {
        let lines = run_and_kill("append", &database, 25, &mut random);
        told.extend(lines.iter().flat_map(|line| acknowledged(line)));

        let mut conn = database.connect();
        assert_intact(&mut conn);
        assert_no_half_batch(&mut conn);
        assert!(number(&mut conn, "SELECT count(*) FROM events") >= told.len() as i64);
    }
    assert!(told.len() > KILLS);
    assert_all_recorded(&mut database.connect(), told);
}

pub fn assert_no_half_batch(conn: &mut SqliteConnection) {
    let half = "SELECT count(*) FROM (SELECT count(*) AS events, max(metadata ->> 1) AS size \
                FROM events GROUP BY metadata ->> 0) WHERE events <> size";
    assert_eq!(number(conn, half), 0, "batches of which only a part is there");
}

pub fn assert_all_recorded(conn: &mut SqliteConnection, mut told: HashMap<Uuid, Place>) {
    for event in STORE.iter_log(conn, LogQuery::after(Position::START)) {
        let event = event.unwrap();
        if let Some(place) = told.remove(&event.id()) {
            let (position, version) = (event.position().get(), event.version());
            let found = Place { position, aggregate_id: event.aggregate_id().to_owned(), version };
            assert_eq!(found, place, "{}", event.id());
        }
    }
    assert!(told.is_empty(), "acknowledged and lost: {told:?}");
}

pub fn order_and_event_or_neither() {
    const KILLS: usize = 60;
    let mut random = Random::for_test("order_and_event_or_neither");
    let database = SqliteFile::migrated();
    database.connect().batch_execute("CREATE TABLE orders (number INTEGER PRIMARY KEY)").unwrap();
    let mut told: HashMap<Uuid, Place> = HashMap::new();
    for _ in 0..KILLS {
        let lines = run_and_kill("order", &database, 25, &mut random);
        told.extend(lines.iter().flat_map(|line| acknowledged(line)));

        let mut conn = database.connect();
        assert_intact(&mut conn);
        let alone = "SELECT count(*) FROM orders FULL JOIN (SELECT payload + 0 AS number, count(*) AS events \
                     FROM events GROUP BY payload) AS placed USING (number) \
                     WHERE orders.number IS NULL OR events IS NOT 2";
        assert_eq!(number(&mut conn, alone), 0, "orders without their events, or events without their order");
    }
    assert!(told.len() > KILLS);
    assert_all_recorded(&mut database.connect(), told);
}
