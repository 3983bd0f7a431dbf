//! What diesel_event_store costs on PostgreSQL, compared with the same statements through bare libpq, on the
//! server that `TEST_POSTGRES_URL` names.

use std::cell::RefCell;

use bench_support::payload::OrderPlaced;
use bench_support::workload::{Append, Workload};
use diesel_event_store::{EventStore, LogOrdering};
use server_benches::postgres::{Database, RawStore, Statements};
use server_benches::questions::{self, EVENTS_EACH, PAGE};
use server_benches::report::Report;
use server_benches::side::Side;
use server_benches::store::Store;
use server_benches::transfer;
use server_benches::writers::Writers;
use server_benches::{awaited, domain};
use tokio::runtime::Runtime;

fn main() {
    if transfer::is_measured::<Database>() {
        return;
    }
    let report = Report::from_args();
    let statements = Database::statements();
    for synchronous_commit in ["on", "off"] {
        let create = || Database::with_synchronous_commit(synchronous_commit);
        report.heading(&format!("PostgreSQL, one connection, synchronous_commit = {synchronous_commit}"));
        appends(&report, &statements, create);
        report.heading(&format!(
            "PostgreSQL, threads that append one event at a time to different aggregates, \
             synchronous_commit = {synchronous_commit}"
        ));
        for writers in [1, 4, 16] {
            throughput(&report, writers, create);
        }
    }

    report.heading("PostgreSQL, one connection");
    reads(&report, &statements);
    safe_position(&report, &statements);
    unrelated_locks(&report);

    report.heading("PostgreSQL, aggregates and keys");
    domain::compare::<Database>(&report);

    report.heading("PostgreSQL, a projection whose partitions change the same rows");
    shared_rows(&report);

    report.heading("PostgreSQL, one connection of diesel-async's");
    awaited_appends(&report, &statements);
    awaited_reads(&report);
    report.heading(
        "PostgreSQL, tasks on connections of diesel-async's, and as many threads, that append one event at a \
         time to different aggregates",
    );
    for callers in report.size([16, 64], [2, 4]) {
        awaited_throughput(&report, callers);
    }
    report.heading("PostgreSQL, a log to a file and back, and to another database");
    transfer::compare::<Database>(&report);
    transfer::compare_memory::<Database>(&report, "PostgreSQL");
}

fn appends(report: &Report, statements: &Statements, create: impl Fn() -> Database) {
    for (name, events) in [("append 1 event", 1), ("append 10 events", 10)] {
        let (one, other) = (create(), create());
        questions::append(report, name, one.ours(), other.raw(statements), events);
    }
}

fn reads(report: &Report, statements: &Statements) {
    let (many, few) = (report.size(2_000, 20), report.size(50, 2));
    for (name, streams, events) in
        [("load a stream of 10 events", many, 10), ("load a stream of 1,000 events", few, 1_000)]
    {
        let database = Database::filled(streams, events);
        let stores = (database.ours(), database.raw(statements));
        questions::load_streams(report, name, stores, streams, events);
    }
    let events = report.size(20_000, 2_000);
    let database = Database::filled(events / EVENTS_EACH, EVENTS_EACH);
    let stores = (database.ours(), database.raw(statements));
    let mut unbounded = database.raw(statements);
    questions::read_log(report, stores, |after| unbounded.read_page_up_to(i64::MAX, after, PAGE), events);
}

/// Each ordering in its own database, because an ordering is a property of the database.
fn throughput(report: &Report, number: usize, create: impl Fn() -> Database) {
    let (fenced, unfenced, gapless) = (create(), create(), create());
    unfenced.remove_fence();
    EventStore::new().set_log_ordering(&mut gapless.ours().conn, LogOrdering::Gapless).expect("the ordering");
    let writers = |database: &Database| Writers::new(number, || database.ours());
    let (mut with_fence, mut without, mut counted) =
        (writers(&fenced), writers(&unfenced), writers(&gapless));
    let appends = report.size(200, 40);
    let sides = vec![
        Side::new("fenced", || with_fence.append(appends)),
        Side::new("unfenced", || without.append(appends)),
        Side::new("gapless", || counted.append(appends)),
    ];
    report.throughput(&format!("writers: {number}"), appends, sides, &[(0, 1), (2, 1)]);
}

fn safe_position(report: &Report, statements: &Statements) {
    let database = Database::filled(report.size(100, 10), EVENTS_EACH);
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

/// Transactions that have appended and have not committed yet.
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
            store.append(&append, &[OrderPlaced::example()]);
        }
    }

    fn roll_back(&self) {
        for store in self.0.borrow().iter() {
            store.client.execute("ROLLBACK");
        }
    }
}

/// PostgreSQL shows a reader all locks of all connections, whatever they are for.
fn unrelated_locks(report: &Report) {
    let events = report.size(20_000, 2_000);
    let database = Database::filled(events / EVENTS_EACH, EVENTS_EACH);
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
        report.times(&format!("read a page of {page} events"), 20, sides, &[(0, 1)]);
    }
    release();
}

fn shared_rows(report: &Report) {
    let (one, four) = (Database::create(), Database::create());
    server_benches::shared_rows::compare(report, move || one.ours().conn, move || four.ours().conn);
}

/// The same statement, sent by hand.
fn awaited_appends(report: &Report, statements: &Statements) {
    let runtime = awaited::runtime();
    for (name, events) in [("async: append 1 event", 1), ("async: append 10 events", 10)] {
        let databases = [(); 3].map(|()| Database::create());
        let mut ours = databases[0].awaited(&runtime);
        let mut by_hand = databases[1].by_hand(&runtime, statements);
        let mut blocking = databases[2].ours();
        let [of_ours, of_by_hand, of_blocking] = [(); 3].map(|()| Workload::new(0, 0));
        let payloads = vec![OrderPlaced::example(); events];
        let sides = vec![
            Side::new("async", || runtime.block_on(ours.append(&of_ours.next(events), &payloads))),
            Side::new("by hand", || runtime.block_on(by_hand.append(&of_by_hand.next(events), &payloads))),
            Side::new("sync", || blocking.append(&of_blocking.next(events), &payloads)),
        ];
        report.times(name, 50, sides, &[(0, 1), (0, 2)]);
    }
}

fn awaited_reads(report: &Report) {
    let (runtime, events) = (awaited::runtime(), report.size(20_000, 2_000));
    let database = Database::filled(events / EVENTS_EACH, EVENTS_EACH);
    awaited::read_log(report, &runtime, (database.awaited(&runtime), database.ours()), events);
}

fn awaited_throughput(report: &Report, callers: usize) {
    let (one, other) = (Database::create(), Database::create());
    awaited::throughput(report, callers, (|runtime: &Runtime| one.awaited(runtime), || other.ours()));
}
