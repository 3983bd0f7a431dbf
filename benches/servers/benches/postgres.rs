//! What diesel_event_store costs on PostgreSQL, beside the same statements through bare libpq, in the server that
//! `TEST_POSTGRES_URL` names.

use std::cell::RefCell;

use diesel_event_store::LogOrdering;
use server_benches::payload::OrderPlaced;
use server_benches::postgres::{Database, RawStore, Statements};
use server_benches::report::Report;
use server_benches::rounds::Side;
use server_benches::workload::{Append, Workload, aggregate_id, scatter};
use server_benches::writers::{Appends, Writers};

const PAGE: usize = 1_000;

fn main() {
    let report = Report::from_args();
    let statements = Statements::watch();
    report.heading("PostgreSQL, one connection");
    appends(&report, &statements, 1);
    appends(&report, &statements, 10);
    streams(&report, &statements, report.size(2_000, 20), 10);
    streams(&report, &statements, report.size(50, 2), 1_000);
    log(&report, &statements);

    report.heading("PostgreSQL, threads that append one event at a time to different aggregates");
    for writers in [1, 4, 16] {
        throughput(&report, writers);
    }

    report.heading("PostgreSQL, up to where the log may be read");
    safe_position(&report, &statements);
    unrelated_locks(&report);
}

fn appends(report: &Report, statements: &Statements, events: usize) {
    let payloads = vec![OrderPlaced::new(); events];
    let (one, other) = (Database::create(), Database::create());
    let (mut ours, mut raw) = (one.ours(), other.raw(statements));
    let (of_ours, of_raw) = (Workload::new(0, 0), Workload::new(0, 0));
    let sides = vec![
        Side::new("ours", || ours.append(&of_ours.next(events), &payloads)),
        Side::new("raw", || raw.append(&of_raw.next(events), &payloads)),
    ];
    report.times(&format!("append {}", counted(events)), 50, sides, &[(0, 1)]);
}

fn streams(report: &Report, statements: &Statements, streams: usize, events: usize) {
    let database = Database::filled(streams, events);
    let (mut ours, mut raw) = (database.ours(), database.raw(statements));
    let expected = (i64::try_from(events).expect("a count"), cents(events));
    let sides = vec![
        Side::new("ours", on_streams(streams, |id| assert_eq!(ours.read_stream(id), expected))),
        Side::new("raw", on_streams(streams, |id| assert_eq!(raw.read_stream(id), expected))),
    ];
    let block = if events > 100 { 2 } else { 50 };
    report.times(&format!("load a stream of {}", counted(events)), block, sides, &[(0, 1)]);
}

/// Streams at random, but the same ones in the same order on every side.
fn on_streams(streams: usize, mut read: impl FnMut(&str)) -> impl FnMut() {
    let mut numbers = 0..;
    move || {
        let number = scatter(numbers.next().expect("there is always another"));
        read(&aggregate_id(usize::try_from(number).expect("64 bits") % streams));
    }
}

fn log(report: &Report, statements: &Statements) {
    let events = report.size(20_000, 2_000);
    let database = Database::filled(events / 10, 10);
    let (mut ours, mut raw, mut raw_alone) =
        (database.ours(), database.raw(statements), database.raw(statements));
    let sides = vec![
        Side::new("ours", || read_all(events, |after| ours.read_page(after, PAGE))),
        Side::new("raw", || read_all(events, |after| raw.read_page(after, PAGE))),
        Side::new("raw, without asking up to where", || {
            read_all(events, |after| raw_alone.read_page_up_to(i64::MAX, after, PAGE))
        }),
    ];
    let pages = events / PAGE;
    report.times(&format!("read the log, {pages} pages of {PAGE} events"), 1, sides, &[(0, 1), (1, 2)]);
}

fn read_all(events: usize, mut page: impl FnMut(i64) -> (i64, u64)) {
    let (mut position, mut sum) = (0, 0);
    for _ in 0..events / PAGE {
        let (last, of_page) = page(position);
        (position, sum) = (last, sum + of_page);
    }
    assert_eq!(sum, cents(events));
}

/// Each ordering in a database of its own: an ordering is a property of the database.
fn throughput(report: &Report, number: usize) {
    let (fenced, unfenced, gapless) = (Database::create(), Database::create(), Database::create());
    unfenced.remove_fence();
    diesel_event_store::set_log_ordering(&mut gapless.ours().conn, LogOrdering::Gapless)
        .expect("the ordering");
    let writers = |database: &Database| Writers::new(number, || database.ours());
    let (mut with_fence, mut without, mut counted) =
        (writers(&fenced), writers(&unfenced), writers(&gapless));
    let appends = report.size(400, 40);
    let sides = vec![
        Side::new("fenced", || with_fence.append(appends)),
        Side::new("unfenced", || without.append(appends)),
        Side::new("gapless", || counted.append(appends)),
    ];
    report.throughput(&format!("{number} writers"), appends, sides, &[(0, 1), (2, 1)]);
}

fn safe_position(report: &Report, statements: &Statements) {
    let database = Database::filled(report.size(100, 10), 10);
    let (mut ours, mut raw) = (database.ours(), database.raw(statements));
    let sides = vec![Side::new("ours", || ours.last_position()), Side::new("raw", || raw.last_position())];
    report.times("ask for the last position", 50, sides, &[(0, 1)]);

    let appenders = InFlight::new(&database, statements, 16);
    let (mut amid, mut alone) = (database.raw(statements), database.raw(statements));
    let sides = vec![
        Side::new("amid 16 appenders", || amid.safe_position()).on(|| appenders.begin()),
        Side::new("amid none", || alone.safe_position()).on(|| appenders.roll_back()),
    ];
    report.times("ask for the safe position", 50, sides, &[(0, 1)]);
}

/// Transactions that have appended and are not committed yet.
struct InFlight(RefCell<Vec<RawStore>>);

impl InFlight {
    fn new(database: &Database, statements: &Statements, number: usize) -> Self {
        Self(RefCell::new((0..number).map(|_| database.raw(statements)).collect()))
    }

    fn begin(&self) {
        self.roll_back();
        for (nth, store) in self.0.borrow_mut().iter_mut().enumerate() {
            store.client.execute("BEGIN");
            let append = Append { aggregate_id: format!("in flight {nth}"), version: 0 };
            store.append(&append, &[OrderPlaced::new()]);
        }
    }

    fn roll_back(&self) {
        for store in self.0.borrow().iter() {
            store.client.execute("ROLLBACK");
        }
    }
}

/// PostgreSQL shows a reader all locks that anybody holds, whatever they are for.
fn unrelated_locks(report: &Report) {
    let events = report.size(20_000, 2_000);
    let database = Database::filled(events / 10, 10);
    let locks = database.client();
    let hold = || drop(locks.execute("SELECT pg_advisory_lock(1, nth) FROM generate_series(1, 1000) AS nth"));
    let release = || drop(locks.execute("SELECT pg_advisory_unlock_all()"));
    for page in [10, 1_000] {
        let (mut amid, mut alone) = (database.ours(), database.ours());
        let sides = vec![
            Side::new("amid 1,000 unrelated locks", || amid.read_page(500, page)).on(|| {
                release();
                hold();
            }),
            Side::new("amid none", || alone.read_page(500, page)).on(release),
        ];
        report.times(&format!("read {page} events of the log"), 20, sides, &[(0, 1)]);
    }
    release();
}

fn cents(events: usize) -> u64 {
    OrderPlaced::CENTS * u64::try_from(events).expect("64 bits")
}

fn counted(events: usize) -> String {
    match events {
        1 => "1 event".to_owned(),
        1_000 => "1,000 events".to_owned(),
        _ => format!("{events} events"),
    }
}
