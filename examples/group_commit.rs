//! Many threads append at the same time and share commits: `cargo run --example group_commit`

use std::error::Error as StdError;
use std::thread;
use std::time::Instant;

use diesel::prelude::*;
use diesel_event_store::sqlite::{Options, Writer};
use diesel_event_store::{Error, EventStore, ExpectedVersion, NewEvent, StreamId};

const SENSORS: usize = 64;
const READINGS: i64 = 50;

/// Without a writer: each thread has its own connection.
fn measure_plainly(sensor: usize, conn: &mut SqliteConnection) -> Result<(), Error> {
    let stream = StreamId::new("Plain", sensor)?;
    for version in 0..READINGS {
        let measured = NewEvent::new("Measured", &21.5)?;
        EventStore::new().append(conn, &stream, ExpectedVersion::Exact(version), &[measured])?;
    }
    Ok(())
}

/// The same through a writer that all threads share.
fn measure(sensor: usize, writer: &Writer) -> Result<(), Error> {
    let stream = StreamId::new("Grouped", sensor)?;
    for version in 0..READINGS {
        let measured = NewEvent::new("Measured", &21.5)?;
        writer.append(&stream, ExpectedVersion::Exact(version), [measured]).wait()?;
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn StdError>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("sensors.db").display().to_string();
    let connect = || {
        let mut conn = SqliteConnection::establish(&path).expect("the file can be opened");
        let patient = Options::default().busy_timeout(std::time::Duration::from_secs(300));
        patient.apply(&mut conn).expect("the settings can be applied");
        conn
    };
    diesel_event_store::run_pending_migrations(&mut connect())?;

    let begun = Instant::now();
    in_threads(|sensor| measure_plainly(sensor, &mut connect()))?;
    println!("{} commits, one per append: {:?}", SENSORS as i64 * READINGS, begun.elapsed());

    let writer = Writer::new(connect())?;
    let begun = Instant::now();
    in_threads(|sensor| measure(sensor, &writer))?;
    println!("the same number of appends with shared commits: {:?}", begun.elapsed());

    // A closure runs in the writer's transaction: use it for rows and events that belong together.
    let count = writer.transaction(|conn| Ok::<_, Error>(EventStore::new().last_position(conn)?)).wait()?;
    writer.drain().wait()?;
    assert_eq!(count.get(), 2 * SENSORS as i64 * READINGS);
    println!("✓ {count} events");
    Ok(())
}

fn in_threads(work: impl Fn(usize) -> Result<(), Error> + Sync) -> Result<(), Error> {
    thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = (0..SENSORS).map(|sensor| scope.spawn(move || work(sensor))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("the thread does not panic"))
    })
}
