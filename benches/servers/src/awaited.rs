//! The comparisons on connections of diesel-async's that every server runs.

use std::rc::Rc;

use diesel_event_store::{AsyncEventConnection, EventConnection};
use tokio::runtime::{Builder, Runtime};

use crate::ours::OurStore;
use crate::questions::{PAGE, read_all};
use crate::report::Report;
use crate::side::Side;
use crate::store::Store;
use crate::writers::Writers;
use bench_support::awaited_store::AwaitedStore;
use bench_support::tasks::Tasks;

/// For one caller. Its thread drives the connection, too, so that none has to wake another.
pub fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Compares reading the log, on a database with this many events.
pub fn read_log<A: AsyncEventConnection, C: EventConnection>(
    report: &Report,
    runtime: &Runtime,
    (mut awaited, mut blocking): (AwaitedStore<A>, OurStore<C>),
    events: usize,
) {
    let sides = vec![
        Side::new("async", || read_all(events, |after| runtime.block_on(awaited.read_page(after, PAGE)))),
        Side::new("sync", || read_all(events, |after| blocking.read_page(after, PAGE))),
    ];
    let name = format!("async: read the log, {} pages of 1,000 events", events / PAGE);
    report.times(&name, 1, sides, &[(0, 1)]);
}

/// Compares tasks with as many threads. `connect` opens a connection of each kind, on two empty databases.
pub fn throughput<A: AsyncEventConnection + 'static, C: EventConnection + Send>(
    report: &Report,
    callers: usize,
    (awaited, blocking): (impl Fn(&Runtime) -> AwaitedStore<A>, impl Fn() -> OurStore<C>),
) {
    let runtime = Rc::new(Runtime::new().expect("a runtime"));
    let mut tasks = Tasks::new(&runtime, 0..callers, || awaited(&runtime));
    let mut threads = Writers::new(callers, blocking);
    let appends = report.size(400, 2 * callers);
    let sides = vec![
        Side::new("async, tasks", || tasks.append(appends)),
        Side::new("sync, threads", || threads.append(appends)),
    ];
    report.throughput(&format!("async: callers: {callers}"), appends, sides, &[(0, 1)]);
}
