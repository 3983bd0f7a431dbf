//! A projection whose partitions write the same few rows, one by one in the order of the log. They wait for
//! each other's rows, and meet in deadlocks.

use std::cell::RefCell;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use diesel::connection::{Connection, TransactionManager};
use diesel::prelude::ConnectionError;
use diesel_event_store::EventConnection;
use diesel_event_store::projection::{Progress, Projection, Runner, RunnerHandle};

use crate::ours::OurStore;
use crate::questions::EVENTS_EACH;
use crate::report::Report;
use crate::side::Side;
use crate::store::Store;
use bench_support::payload::OrderPlaced;
use bench_support::shared_rows::{self, BATCH_SIZE, ROWS};
use bench_support::workload::Workload;

/// Four partitions compared with one, on two empty databases.
pub fn compare<C>(
    report: &Report,
    one: impl Fn() -> C + Send + Sync + 'static,
    four: impl Fn() -> C + Send + Sync + 'static,
) where
    C: EventConnection + Connection + 'static,
{
    let (one, four) = (RefCell::new(ReadModel::start(one, 1)), RefCell::new(ReadModel::start(four, 4)));
    let events = report.size(5_000, 50);
    let sides = vec![
        Side::new("4 partitions", || four.borrow_mut().apply()).on(|| four.borrow_mut().append(events)),
        Side::new("1 partition", || one.borrow_mut().apply()).on(|| one.borrow_mut().append(events)),
    ];
    let name = format!("apply events that change {ROWS} rows, {BATCH_SIZE} at a time");
    report.throughput(&name, events, sides, &[(0, 1)]);
}

/// A runner that follows the log, and a connection on which there is something to append for it.
struct ReadModel<C> {
    store: OurStore<C>,
    workload: Workload,
    appended: usize,
    applied: Receiver<u64>,
    _running: RunnerHandle,
}

impl<C: EventConnection + Connection + 'static> ReadModel<C> {
    fn start(connect: impl Fn() -> C + Send + Sync + 'static, partitions: i32) -> Self {
        let mut conn = connect();
        shared_rows::create(&mut conn);
        let (progressed, applied) = mpsc::channel();
        let projection = Projection::new("shared rows", 1, shared_rows::count).partitions(partitions);
        let running = Runner::new(move || Ok::<_, ConnectionError>(connect()))
            .projection(projection.batch_size(BATCH_SIZE))
            // What is appended is committed when the wake-ups have long been sent.
            .longest_pause(Duration::from_millis(2))
            .on_progress(move |progress: &Progress| progressed.send(progress.applied()).expect("a listener"))
            .start()
            .expect("a runner");
        let (store, workload) = (OurStore::new(conn), Workload::new(0, 0));
        Self { store, workload, appended: 0, applied, _running: running }
    }

    /// Without a commit.
    fn append(&mut self, events: usize) {
        let payloads = vec![OrderPlaced::example(); EVENTS_EACH];
        C::TransactionManager::begin_transaction(&mut self.store.conn).expect("a transaction");
        for _ in 0..events / EVENTS_EACH {
            self.store.append(&self.workload.next(EVENTS_EACH), &payloads);
        }
        self.appended = events;
    }

    /// From the commit until all is applied.
    fn apply(&mut self) {
        C::TransactionManager::commit_transaction(&mut self.store.conn).expect("the commit");
        let mut applied = 0;
        while applied < self.appended as u64 {
            applied += self.applied.recv().expect("the runner continues");
        }
    }
}
