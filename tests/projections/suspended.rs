//! A process that is suspended for longer than its lease, and then goes on where it was.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use diesel_event_store::EventConnection;
use diesel_event_store::projection::{Projection, Runner};
use diesel_event_store::uuid::Uuid;
use diesel_event_store::{ExpectedVersion, NewEvent, StreamId};
use tempfile::TempDir;
use test_support::worker::{Worker, report};
use test_support::{TestDatabase, count, wait_for_projection};

use super::accounts::{self, NAME, Payload, STORE, create_tables, end_of_log};
use super::client::{Client, Job, on_database};
use super::crew::SHORT_LEASE;

const EVENTS: i64 = 10;
const BATCH: usize = 5;
/// In the middle of the first batch.
const LINGERS_AT: i64 = 3;

/// Where a process lingers.
///
/// Everything that there was is applied.
const BETWEEN_BATCHES: &str = "between batches";
/// The handler has written rows, and none that anybody else needs.
const IN_A_BATCH: &str = "in a batch";
/// The handler has written rows that whoever takes over needs, too.
const WITH_LOCKS: &str = "with locks";

/// Applies the projection for ever, and reports its failures. It lingers once, if it is to, until there is a
/// file.
pub fn linger(url: &str, arguments: &[String]) {
    let [place, file, lingers] = arguments else { panic!("linger URL PLACE FILE LINGERS") };
    let is_to_linger = AtomicBool::new(lingers == "lingers");
    on_database(url, Linger { place: place.clone(), file: file.into(), is_to_linger });
}

struct Linger {
    place: String,
    file: PathBuf,
    is_to_linger: AtomicBool,
}

impl Job for Linger {
    fn run<C: Client>(self, url: &str) {
        let worker = Uuid::now_v7().to_string();
        let mut conn = C::open(url).expect("the database is there");
        accounts::begin_total(&mut conn, &worker).expect("it is the first with this name");
        let url = url.to_owned();
        let linger = Arc::new(self);
        let between = Arc::clone(&linger);
        let runner = Runner::new(move || C::open(&url))
            .projection(projection::<C>(worker, linger))
            .longest_pause(Duration::from_millis(100))
            .on_progress(move |_| between.linger_if(BETWEEN_BATCHES));
        let running = runner.start().expect("it starts");
        loop {
            running.failures().iter().for_each(report);
            thread::sleep(Duration::from_millis(10));
        }
    }
}

fn projection<C: EventConnection>(worker: String, linger: Arc<Linger>) -> Projection<C> {
    let handler = move |conn: &mut C, event: &_| {
        if linger.place == WITH_LOCKS {
            accounts::apply(conn, &worker, event)?;
        } else {
            accounts::insert(conn, &worker, event)?;
        }
        if event.version() == LINGERS_AT {
            linger.linger_if(IN_A_BATCH);
            linger.linger_if(WITH_LOCKS);
        }
        Ok(())
    };
    Projection::new(NAME, 1, handler).batch_size(BATCH).lease(SHORT_LEASE)
}

impl Linger {
    fn linger_if(&self, place: &str) {
        if self.place != place || !self.is_to_linger.swap(false, Ordering::Relaxed) {
            return;
        }
        report("here");
        while !self.file.exists() {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// A process that is suspended there.
struct Scene<D: TestDatabase> {
    database: D,
    conn: D::Conn,
    folder: TempDir,
    place: &'static str,
    suspended: Worker,
}

impl<D: TestDatabase<Conn: Client>> Scene<D> {
    fn suspended(place: &'static str) -> test_support::Result<Self> {
        let database = D::migrated()?;
        let mut conn = database.connect()?;
        create_tables(&mut conn)?;
        append(&mut conn)?;
        let folder = tempfile::tempdir()?;
        let suspended = start(&database, place, &folder, "lingers");
        assert_eq!(suspended.line_unless_stuck().as_deref(), Some("here"));
        suspend::<D>(&database, &suspended, place)?;
        Ok(Self { database, conn, folder, place, suspended })
    }

    fn start_another(&self) -> Worker {
        start(&self.database, self.place, &self.folder, "does not linger")
    }

    fn resume(&self) -> test_support::Result {
        File::create(self.folder.path().join("go on"))?;
        self.suspended.signal("CONT");
        Ok(())
    }

    fn assert_reports_a_lost_lease(&self) {
        let is_lost = |line: String| line.contains("has lost partition 0: another worker has taken it over");
        let mut lines = std::iter::from_fn(|| self.suspended.line_unless_stuck());
        assert!(lines.any(is_lost), "it has not noticed");
    }

    fn wait_for_the_end(&mut self) -> test_support::Result {
        let end = end_of_log(&mut self.conn)?;
        wait_for_projection(&mut self.conn, (NAME, 1), end)
    }

    #[cfg(any(feature = "postgres", feature = "mysql"))]
    fn owner(&mut self) -> test_support::Result<Option<String>> {
        Ok(diesel_event_store::projection::status(&mut self.conn)?[0].partitions()[0]
            .owner()
            .map(str::to_owned))
    }
}

/// At a moment when it does not renew its lease, which needs the write lock on SQLite: nobody could take over.
fn suspend<D: TestDatabase<Conn: Client>>(
    database: &D,
    worker: &Worker,
    place: &str,
) -> test_support::Result {
    worker.signal("STOP");
    while place == BETWEEN_BATCHES && is_locked_out(&database.url())? {
        worker.signal("CONT");
        thread::sleep(Duration::from_millis(5));
        worker.signal("STOP");
    }
    Ok(())
}

/// Whether another connection has the one write lock of SQLite.
#[cfg(feature = "sqlite")]
fn is_locked_out(url: &str) -> test_support::Result<bool> {
    use diesel::{Connection, QueryResult, SqliteConnection};

    if url.contains("://") {
        return Ok(false);
    }
    let mut conn = SqliteConnection::establish(url)?; // it waits for no lock
    Ok(conn.immediate_transaction(|_| QueryResult::Ok(())).is_err())
}

#[cfg(not(feature = "sqlite"))]
fn is_locked_out(_url: &str) -> test_support::Result<bool> {
    Ok(false)
}

fn start<D: TestDatabase>(database: &D, place: &str, folder: &TempDir, lingers: &str) -> Worker {
    let file = folder.path().join("go on").display().to_string();
    Worker::start("linger", Path::new(&database.url()), &[place.to_owned(), file, lingers.to_owned()])
}

fn append<C: EventConnection>(conn: &mut C) -> test_support::Result {
    let payloads = (1..=EVENTS).map(|amount| -> Payload { (amount, false) });
    let events = payloads.map(|payload| NewEvent::new("Booked", &payload)).collect::<Result<Vec<_>, _>>()?;
    STORE.append(conn, &StreamId::new("Account", "alice")?, ExpectedVersion::Any, &events)?;
    Ok(())
}

/// It reads on, and the handler writes rows, but they cannot be committed.
pub fn between_batches<D: TestDatabase<Conn: Client>>() -> test_support::Result {
    let mut scene = Scene::<D>::suspended(BETWEEN_BATCHES)?;
    append(&mut scene.conn)?;
    let _other = scene.start_another();
    scene.wait_for_the_end()?;
    accounts::assert_rows_equal_to_log(&mut scene.conn)?;

    scene.resume()?;
    scene.assert_reports_a_lost_lease();
    accounts::assert_rows_equal_to_log(&mut scene.conn)
}

/// Neither what the handler had written before nor what it writes afterwards can be committed.
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub fn in_a_batch<D: TestDatabase<Conn: Client>>() -> test_support::Result {
    let mut scene = Scene::<D>::suspended(IN_A_BATCH)?;
    assert_eq!(count(&mut scene.conn, "applied")?, 0);
    let _other = scene.start_another();
    scene.wait_for_the_end()?;
    accounts::assert_rows_equal_to_log(&mut scene.conn)?;

    scene.resume()?;
    scene.assert_reports_a_lost_lease();
    accounts::assert_rows_equal_to_log(&mut scene.conn)
}

/// The other has taken the partition over, and waits for the rows. It gets them as soon as the first goes on,
/// and not what the first has made of them.
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub fn with_locks<D: TestDatabase<Conn: Client>>() -> test_support::Result {
    let mut scene = Scene::<D>::suspended(WITH_LOCKS)?;
    let first = scene.owner()?;
    let _other = scene.start_another();
    test_support::eventually("the other takes over", || {
        let owner = scene.owner()?;
        Ok(owner.is_some() && owner != first)
    })?;
    assert_eq!(count(&mut scene.conn, "applied")?, 0);

    scene.resume()?;
    scene.assert_reports_a_lost_lease();
    scene.wait_for_the_end()?;
    accounts::assert_equal_to_log(&mut scene.conn)
}

/// It has the one write lock that there is: so nobody can take over, and nothing is lost when it goes on.
#[cfg(feature = "sqlite")]
pub fn with_the_write_lock() -> test_support::Result {
    let mut scene = Scene::<test_support::Sqlite>::suspended(IN_A_BATCH)?;
    let _other = scene.start_another();
    thread::sleep(SHORT_LEASE * 3);
    test_support::execute(&mut scene.conn, "PRAGMA busy_timeout = 0")?;
    let refused = append(&mut scene.conn).unwrap_err();
    assert!(refused.to_string().contains("locked"), "{refused}");
    assert_eq!(count(&mut scene.conn, "applied")?, 0);

    scene.resume()?;
    scene.wait_for_the_end()?;
    accounts::assert_rows_equal_to_log(&mut scene.conn)
}
