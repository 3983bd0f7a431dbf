//! Appends of one event on asynchronous connections to SQLite: by one caller, compared with the same on a
//! connection that blocks; and by 16 callers at once through a writer, compared with threads that wait for
//! it, and with a connection per caller.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use bench_support::awaited_store::AwaitedStore;
use bench_support::bench::Bench;
use bench_support::caller::Caller;
use bench_support::database;
use bench_support::events::prepare;
use bench_support::ours::OurStore;
use bench_support::payload::OrderPlaced;
use bench_support::side::Side;
use bench_support::tasks::{AwaitedAppend, Tasks};
use bench_support::workload::{Append, Workload};
use diesel::sqlite::SqliteConnection;
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use diesel_event_store::sqlite::{Synchronous, Writer};
use tempfile::TempDir;
use tokio::runtime::Runtime;

const CALLERS: usize = 16;

fn main() {
    let mut bench = Bench::from_args();
    let runtime = Rc::new(Runtime::new().expect("a runtime"));
    for (synchronous, setting) in [(Synchronous::Normal, "NORMAL"), (Synchronous::Full, "FULL")] {
        one_caller(&mut bench, &runtime, synchronous, setting);
        many_callers(&mut bench, &runtime, synchronous, setting);
    }
    bench.finish();
}

fn one_caller(bench: &mut Bench, runtime: &Rc<Runtime>, synchronous: Synchronous, setting: &str) {
    let folder = database::folder();
    let sides = || vec![one_awaited(&folder, runtime, synchronous), one_blocking(&folder, synchronous)];
    bench.compare(&format!("append 1 event, 1 caller, synchronous={setting}"), 50, sides, &[(0, 1)]);
}

fn one_awaited(folder: &TempDir, runtime: &Rc<Runtime>, synchronous: Synchronous) -> Side {
    let (path, workload, runtime) = (database::empty(folder), Workload::new(0, 0), Rc::clone(runtime));
    Side::new("async", move || {
        let mut store = connect(&runtime, &path, synchronous);
        let (runtime, workload) = (Rc::clone(&runtime), workload.clone());
        let payloads = [OrderPlaced::example()];
        move || {
            runtime.block_on(store.append(&workload.next(1), &payloads));
        }
    })
}

fn one_blocking(folder: &TempDir, synchronous: Synchronous) -> Side {
    let (path, workload) = (database::empty(folder), Workload::new(0, 0));
    Side::new("sync", move || {
        let mut store = OurStore::open(&path, synchronous);
        let (workload, payloads) = (workload.clone(), [OrderPlaced::example()]);
        move || {
            store.append(&workload.next(1), &payloads);
        }
    })
}

fn many_callers(bench: &mut Bench, runtime: &Rc<Runtime>, synchronous: Synchronous, setting: &str) {
    let (folder, appends) = (database::folder(), bench.size(400, 2 * CALLERS));
    let sides = || {
        let empty = || database::empty(&folder);
        vec![
            writer_and_tasks(empty(), runtime, synchronous, appends),
            writer_and_threads(empty(), synchronous, appends),
            connection_per_task(empty(), runtime, synchronous, appends),
        ]
    };
    let name = format!("append {appends} events, {CALLERS} callers, synchronous={setting}");
    bench.compare(&name, 1, sides, &[(0, 1), (0, 2)]);
}

/// The numbers of the callers of the first connection, of the second, and so on: none of them meets streams
/// of another.
fn numbers() -> impl Iterator<Item = Range<usize>> {
    (0..).step_by(CALLERS).map(|first| first..first + CALLERS)
}

fn writer_and_tasks(path: PathBuf, runtime: &Rc<Runtime>, synchronous: Synchronous, appends: usize) -> Side {
    let (mut numbers, runtime) = (numbers(), Rc::clone(runtime));
    Side::new("writer, awaited", move || {
        let writer = writer(&path, synchronous);
        let numbers = numbers.next().expect("there are always others");
        let mut tasks = Tasks::new(&runtime, numbers, || Tickets(writer.clone()));
        move || tasks.append(appends)
    })
}

fn writer_and_threads(path: PathBuf, synchronous: Synchronous, appends: usize) -> Side {
    let mut numbers = numbers();
    Side::new("writer, waited for by threads", move || {
        let writer = writer(&path, synchronous);
        let numbers = numbers.next().expect("there are always others");
        let mut callers: Vec<_> = numbers.map(Caller::new).collect();
        move || append_on_threads(&writer, &mut callers, appends)
    })
}

fn connection_per_task(
    path: PathBuf,
    runtime: &Rc<Runtime>,
    synchronous: Synchronous,
    appends: usize,
) -> Side {
    let (mut numbers, runtime) = (numbers(), Rc::clone(runtime));
    Side::new("a connection per caller, awaited", move || {
        let numbers = numbers.next().expect("there are always others");
        let mut tasks = Tasks::new(&runtime, numbers, || connect(&runtime, &path, synchronous));
        move || tasks.append(appends)
    })
}

fn writer(path: &Path, synchronous: Synchronous) -> Writer {
    Writer::new(database::connect(path, synchronous)).expect("a writer")
}

fn connect(
    runtime: &Runtime,
    path: &Path,
    synchronous: Synchronous,
) -> AwaitedStore<SyncConnectionWrapper<SqliteConnection>> {
    let _entered = runtime.enter();
    AwaitedStore::new(SyncConnectionWrapper::new(database::connect(path, synchronous)))
}

/// A task that awaits what it has asked the writer for.
struct Tickets(Writer);

impl AwaitedAppend for Tickets {
    async fn append(&mut self, append: &Append, payloads: &[OrderPlaced]) {
        let (stream, expected, events) = prepare(append, payloads);
        self.0.append(&stream, expected, events).await.expect("the append");
    }
}

/// This many appends by all threads together; each continues as soon as it can.
fn append_on_threads(writer: &Writer, callers: &mut [Caller], appends: usize) {
    let (begun, payloads) = (AtomicUsize::new(0), [OrderPlaced::example()]);
    thread::scope(|scope| {
        for caller in callers {
            scope.spawn(|| {
                while begun.fetch_add(1, Ordering::Relaxed) < appends {
                    let (stream, expected, events) = prepare(&caller.next_append(), &payloads);
                    writer.append(&stream, expected, events).wait().expect("the append");
                }
            });
        }
    });
}
