//! A log to a file and back, and to another database: how long that takes, and how much memory.

use std::cell::RefCell;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::time::Duration;

use bench_support::memory;
use diesel_event_store::transfer::{CopyOptions, copy, export, import, reclaim};
use diesel_event_store::{EventConnection, EventStore, LogQuery, Position};

use crate::questions::EVENTS_EACH;
use crate::report::Report;
use crate::side::Side;

const PATIENCE: Duration = Duration::from_secs(30);

/// The bench's own database on a server.
pub trait Server: Sized {
    type Conn: EventConnection;

    fn create() -> Self;
    fn filled(streams: usize, events_each: usize) -> Self;
    fn url(&self) -> String;
    fn connect(url: &str) -> Self::Conn;

    /// Makes what inserts the rows of such a log as fast as the bare client library can.
    fn bare_inserts(streams: usize, events_each: usize) -> impl Fn(&Self);

    fn conn(&self) -> Self::Conn {
        Self::connect(&self.url())
    }
}

pub fn compare<D: Server>(report: &Report) {
    let streams = report.size(10_000, 20);
    let (shop, folder) = (D::filled(streams, EVENTS_EACH), tempfile::tempdir().expect("a folder"));
    let (file, events) = (folder.path().join("log"), streams * EVENTS_EACH);
    let (mut one, mut other) = (shop.conn(), shop.conn());
    let sides = vec![
        Side::new("export", || assert_eq!(to_file(&mut one, &file), events)),
        Side::new("reading", || assert_eq!(read(&mut other), events)),
    ];
    report.times(&format!("export {events} events"), 1, sides, &[(0, 1)]);
    to_file(&mut shop.conn(), &file);
    incoming::<D>(report, &shop, &file, streams);
}

/// Each time into a database that is empty, which is created before it is measured.
fn incoming<D: Server>(report: &Report, shop: &D, file: &Path, streams: usize) {
    let events = streams * EVENTS_EACH;
    let targets: [RefCell<Option<D>>; 3] = Default::default();
    let [imported, copied, inserted] = &targets;
    let renew = |target: &RefCell<Option<D>>| drop(target.replace(Some(D::create())));
    let on = |target: &RefCell<Option<D>>, work: &mut dyn FnMut(&D)| {
        work(target.borrow().as_ref().expect("it was created"));
    };
    let (mut source, insert) = (shop.conn(), D::bare_inserts(streams, EVENTS_EACH));
    let sides = vec![
        Side::new("import", || on(imported, &mut |db| assert_eq!(from_file(&mut db.conn(), file), events)))
            .on(|| renew(imported)),
        Side::new("copy", || on(copied, &mut |db| assert_eq!(move_to(&mut source, &mut db.conn()), events)))
            .on(|| renew(copied)),
        Side::new("bare inserts", || on(inserted, &mut |db| insert(db))).on(|| renew(inserted)),
    ];
    report.times(&format!("import or copy {events} events"), 1, sides, &[(0, 2), (1, 2)]);
}

fn to_file(conn: &mut impl EventConnection, file: &Path) -> usize {
    let exported = export(conn, File::create(file).expect("a file")).expect("the log");
    usize::try_from(exported.events()).expect("a count")
}

fn from_file(conn: &mut impl EventConnection, file: &Path) -> usize {
    let imported = import(conn, || Ok(BufReader::new(File::open(file)?))).expect("the file");
    usize::try_from(imported.events()).expect("a count")
}

/// Then the source takes events again, for the next time.
fn move_to(source: &mut impl EventConnection, target: &mut impl EventConnection) -> usize {
    let copied = copy(source, target, &CopyOptions::to("elsewhere"), |_| true).expect("the copy");
    reclaim(source, PATIENCE).expect("it has moved");
    usize::try_from(copied.events()).expect("a count")
}

fn read(conn: &mut impl EventConnection) -> usize {
    let mut log = EventStore::new().iter_log(conn, LogQuery::after(Position::START));
    log.try_fold(0, |read, event| event.map(|_| read + 1)).expect("events")
}

/// Whether this process was started to be measured.
pub fn is_measured<D: Server>() -> bool {
    let Some(work) = memory::work() else { return false };
    let [what, from, to] = &*work else { panic!("{work:?} is no work") };
    match what.as_str() {
        "export" => to_file(&mut D::connect(from), Path::new(to)),
        "import" => from_file(&mut D::connect(to), Path::new(from)),
        _ => move_to(&mut D::connect(from), &mut D::connect(to)),
    };
    memory::tell_peak();
    true
}

/// What this program needs, beside the server: it does not grow with the log. The environment variable
/// `EVENTS` says how many events the longer one has (default: 100,000).
pub fn compare_memory<D: Server>(report: &Report, database: &str) {
    let names = ["export", "import", "copy"].map(|what| format!("memory of {what}, {database}"));
    if !names.iter().any(|name| report.is_wanted(name)) {
        return;
    }
    let streams = memory::sizes().map(|events| events / EVENTS_EACH);
    let [short, long] = streams.map(peaks::<D>);
    for (name, (short, long)) in names.iter().zip(short.into_iter().zip(long)) {
        memory::compare(name, streams, [short, long]);
    }
}

fn peaks<D: Server>(streams: usize) -> [Option<u64>; 3] {
    let (shop, folder) = (D::filled(streams, EVENTS_EACH), tempfile::tempdir().expect("a folder"));
    let file = folder.path().join("log").display().to_string();
    let [imported, copied] = [(); 2].map(|()| D::create());
    [
        memory::peak_of(&["export", &shop.url(), &file]),
        memory::peak_of(&["import", &file, &imported.url()]),
        memory::peak_of(&["copy", &shop.url(), &copied.url()]),
    ]
}
