//! What diesel_event_store costs on MySQL or MariaDB, compared with the same statements through the bare
//! client library, on the server that `TEST_MYSQL_URL` names. The user needs the right to set global
//! variables.

use std::cell::RefCell;

use bench_support::payload::OrderPlaced;
use bench_support::workload::Append;
use diesel_event_store::{EventStore, LogOrdering};
use server_benches::mysql::{Client, Database, Ordering, RawStore, Statements};
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
    for flush in [1, 2] {
        let _setting = FlushAtCommit::set(flush);
        report.heading(&format!("MySQL, one connection, innodb_flush_log_at_trx_commit = {flush}"));
        appends(&report, &statements);
        report.heading(&format!(
            "MySQL, threads that append one event at a time to different aggregates, \
             innodb_flush_log_at_trx_commit = {flush}"
        ));
        for writers in [1, 4, 16] {
            throughput(&report, &statements, writers);
        }
    }

    report.heading("MySQL, one connection");
    reads(&report, &statements);
    last_position(&report, &statements);

    report.heading("MySQL, aggregates and keys");
    domain::compare::<Database>(&report);

    report.heading("MySQL, a projection whose partitions change the same rows");
    shared_rows(&report);

    report.heading("MySQL, one connection of diesel-async's");
    awaited_reads(&report);
    report.heading(
        "MySQL, tasks on connections of diesel-async's, and as many threads, that append one event at a \
         time to different aggregates",
    );
    for callers in report.size([16, 64], [2, 4]) {
        awaited_throughput(&report, callers);
    }
    report.heading("MySQL, a log to a file and back, and to another database");
    transfer::compare::<Database>(&report);
    transfer::compare_memory::<Database>(&report, "MySQL");
}

/// A setting of the server, restored at the end.
struct FlushAtCommit {
    server: Client,
}

impl FlushAtCommit {
    fn set(value: u32) -> Self {
        let server = Database::server();
        server.execute("SET @before = @@global.innodb_flush_log_at_trx_commit");
        server.execute(&format!("SET GLOBAL innodb_flush_log_at_trx_commit = {value}"));
        Self { server }
    }
}

impl Drop for FlushAtCommit {
    fn drop(&mut self) {
        self.server.execute("SET GLOBAL innodb_flush_log_at_trx_commit = @before");
    }
}

fn appends(report: &Report, statements: &Statements) {
    for (name, events) in [("append 1 event", 1), ("append 10 events", 10)] {
        let (one, other) = (Database::create(), Database::create());
        questions::append(report, name, one.ours(), other.raw(statements, Ordering::Fenced), events);
    }
}

fn reads(report: &Report, statements: &Statements) {
    let (many, few) = (report.size(2_000, 20), report.size(50, 2));
    for (name, streams, events) in
        [("load a stream of 10 events", many, 10), ("load a stream of 1,000 events", few, 1_000)]
    {
        let database = Database::filled(streams, events);
        let stores = (database.ours(), database.raw(statements, Ordering::Fenced));
        questions::load_streams(report, name, stores, streams, events);
    }
    let events = report.size(20_000, 2_000);
    let database = Database::filled(events / EVENTS_EACH, EVENTS_EACH);
    let stores = (database.ours(), database.raw(statements, Ordering::Fenced));
    let mut unbounded = database.raw(statements, Ordering::Fenced);
    questions::read_log(report, stores, |after| unbounded.read_page_up_to(i64::MAX, after, PAGE), events);
}

/// Each ordering in its own database, because an ordering is a property of the database. Only raw can leave
/// out the fence.
fn throughput(report: &Report, statements: &Statements, number: usize) {
    let databases: [_; 5] = std::array::from_fn(|_| Database::create());
    let [fenced, gapless, raw_fenced, raw_gapless, raw_unfenced] = &databases;
    for database in [gapless, raw_gapless] {
        EventStore::new()
            .set_log_ordering(&mut database.ours().conn, LogOrdering::Gapless)
            .expect("the ordering");
    }
    let ours = |database: &Database| Writers::new(number, || database.ours());
    let raw = |database: &Database, ordering| Writers::new(number, || database.raw(statements, ordering));
    let (mut fenced, mut gapless) = (ours(fenced), ours(gapless));
    let (mut raw_fenced, mut raw_gapless) =
        (raw(raw_fenced, Ordering::Fenced), raw(raw_gapless, Ordering::Gapless));
    let mut raw_unfenced = raw(raw_unfenced, Ordering::Unfenced);
    let appends = report.size(200, 40);
    let sides = vec![
        Side::new("fenced", || fenced.append(appends)),
        Side::new("gapless", || gapless.append(appends)),
        Side::new("raw, fenced", || raw_fenced.append(appends)),
        Side::new("raw, gapless", || raw_gapless.append(appends)),
        Side::new("raw, unfenced", || raw_unfenced.append(appends)),
    ];
    let pairs = [(0, 1), (0, 2), (2, 4), (3, 4)];
    report.throughput(&format!("writers: {number}"), appends, sides, &pairs);
}

fn last_position(report: &Report, statements: &Statements) {
    let database = Database::filled(report.size(100, 10), EVENTS_EACH);
    let (mut amid, mut alone, mut after_one) = (database.ours(), database.ours(), database.ours());
    let appenders = InFlight::new(&database, statements, 16);
    let writer = RefCell::new(database.raw(statements, Ordering::Fenced));
    let mut streams = 0..;
    let append = RefCell::new(|| {
        let aggregate_id = format!("alone {}", streams.next().expect("there is always another"));
        writer.borrow_mut().append(&Append { aggregate_id, version: 0 }, &[OrderPlaced::example()]);
    });
    let sides = vec![
        Side::new("amid 16 appenders, and one event is new", || amid.last_position()).on(|| {
            append.borrow_mut()();
            appenders.begin();
        }),
        Side::new("one event is new", || after_one.last_position()).on(|| {
            appenders.roll_back();
            append.borrow_mut()();
        }),
        Side::new("nothing is new", || alone.last_position()).on(|| {
            appenders.roll_back();
            database.ours().last_position();
        }),
    ];
    report.times("ask for the last position", 1, sides, &[(0, 2), (1, 2)]);
}

/// Transactions that have appended and have not committed yet.
struct InFlight(RefCell<Vec<RawStore>>);

impl InFlight {
    fn new(database: &Database, statements: &Statements, number: usize) -> Self {
        Self(RefCell::new((0..number).map(|_| database.raw(statements, Ordering::Fenced)).collect()))
    }

    fn begin(&self) {
        self.roll_back();
        for (nth, store) in self.0.borrow_mut().iter_mut().enumerate() {
            store.begin();
            let append = Append { aggregate_id: format!("in flight {nth}"), version: 0 };
            store.append_inside(&append, &[OrderPlaced::example()]);
        }
    }

    fn roll_back(&self) {
        self.0.borrow().iter().for_each(RawStore::roll_back);
    }
}

fn shared_rows(report: &Report) {
    let (one, four) = (Database::create(), Database::create());
    server_benches::shared_rows::compare(report, move || one.ours().conn, move || four.ours().conn);
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
