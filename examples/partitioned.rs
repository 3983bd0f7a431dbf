//! Four processes share the partitions of one projection on one database: `cargo run --example partitioned`
//!
//! The program starts itself again as those processes.

use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use diesel::dsl::{count, count_star};
use diesel::prelude::*;
use diesel_event_store::projection::{self, PartitionStatus, Projection, Runner};
use diesel_event_store::{EventStore, ExpectedVersion, NewEvent, Position, StreamId, sqlite};

mod schema {
    diesel::table! {
        parcels (position) {
            position -> BigInt,
            customer -> Text,
            worker -> Text,
        }
    }
}
use schema::parcels;

const WORKERS: usize = 4;
const PARTITIONS: i32 = 8;
const SHARE: usize = 2;
const CUSTOMERS: i64 = 40;
const ORDERS: i64 = 10;

/// A customer's orders belong to one partition, so they are packed in order and by one worker at a time.
fn packing(worker: String) -> Projection<SqliteConnection> {
    Projection::new("packing", 1, move |conn: &mut SqliteConnection, event| {
        thread::sleep(Duration::from_micros(200)); // the work outside the database
        let row = (
            parcels::position.eq(event.position().get()),
            parcels::customer.eq(event.aggregate_id()),
            parcels::worker.eq(&worker),
        );
        diesel::insert_into(parcels::table).values(row).execute(conn)?;
        Ok(())
    })
    .partitions(PARTITIONS)
    .batch_size(5)
    .lease(Duration::from_secs(3))
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments[..] {
        [name, path] => work(name, path),
        _ => direct(),
    }
}

/// One of the four processes: packs until its standard input is closed.
fn work(name: &str, path: &str) -> Result<(), Box<dyn Error>> {
    let path = path.to_owned();
    let packing = packing(name.to_owned());
    let running = Runner::new(move || open(Path::new(&path))).name(name).projection(packing).start()?;
    std::io::stdin().read_line(&mut String::new())?;
    Ok(running.stop()?)
}

/// The process that starts the others and checks what they did.
fn direct() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("warehouse.db");
    let mut conn = open(&path)?;
    diesel_event_store::run_pending_migrations(&mut conn)?;
    diesel::sql_query(
        "CREATE TABLE parcels (position BIGINT PRIMARY KEY NOT NULL, customer TEXT NOT NULL, worker TEXT NOT NULL)",
    )
    .execute(&mut conn)?;

    let workers = (1..=WORKERS).map(|number| start_worker(number, &path)).collect::<Result<Vec<_>, _>>()?;
    wait_until_shared(&mut conn)?;
    let last = order(&mut conn)?;
    projection::wait_for(&mut conn, ("packing", 1), last, Duration::from_secs(60))?;
    for mut worker in workers {
        drop(worker.stdin.take()); // tells the worker to stop
        assert!(worker.wait()?.success());
    }

    let packed: Vec<(String, i64, i64)> = parcels::table
        .group_by(parcels::worker)
        .select((parcels::worker, count_star(), count(parcels::customer).aggregate_distinct()))
        .order(parcels::worker)
        .load(&mut conn)?;
    for (worker, parcels, customers) in &packed {
        println!("{worker} has packed {parcels} parcels of {customers} customers");
    }
    let parcels: i64 = packed.iter().map(|(_, parcels, _)| parcels).sum();
    assert_eq!((packed.len(), parcels), (WORKERS, CUSTOMERS * ORDERS));
    println!("✓ {parcels} parcels, each packed once");
    Ok(())
}

fn start_worker(number: usize, path: &Path) -> std::io::Result<Child> {
    Command::new(env::current_exe()?).arg(format!("worker {number}")).arg(path).stdin(Stdio::piped()).spawn()
}

/// Workers that started early return what exceeds their share.
fn wait_until_shared(conn: &mut SqliteConnection) -> Result<(), Box<dyn Error>> {
    let end = Instant::now() + Duration::from_secs(60);
    while Instant::now() < end {
        let owners: BTreeMap<String, usize> = owners(conn)?;
        if owners.len() == WORKERS && owners.values().all(|partitions| *partitions == SHARE) {
            println!("The partitions are shared: {owners:?}");
            return Ok(());
        }
        thread::sleep(Duration::from_millis(50));
    }
    Err("the workers did not share the partitions within a minute".into())
}

/// How many partitions each process has.
fn owners(conn: &mut SqliteConnection) -> Result<BTreeMap<String, usize>, Box<dyn Error>> {
    let mut owners = BTreeMap::new();
    for status in projection::status(conn)? {
        for owner in status.partitions().iter().filter_map(PartitionStatus::owner) {
            *owners.entry(owner.to_owned()).or_default() += 1;
        }
    }
    Ok(owners)
}

fn order(conn: &mut SqliteConnection) -> Result<Position, Box<dyn Error>> {
    let mut last = Position::START;
    for number in 0..CUSTOMERS * ORDERS {
        let customer = StreamId::new("Customer", number % CUSTOMERS)?;
        let ordered = [NewEvent::new("Ordered", &number)?];
        last = EventStore::new().append(conn, &customer, ExpectedVersion::Any, &ordered)?.last_position();
    }
    Ok(last)
}

fn open(path: &Path) -> ConnectionResult<SqliteConnection> {
    let mut conn = SqliteConnection::establish(&path.to_string_lossy())?;
    sqlite::Options::default().apply(&mut conn).expect("the settings can be applied");
    Ok(conn)
}
