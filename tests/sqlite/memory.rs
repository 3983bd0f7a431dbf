//! How much memory a thread holds, as an allocator sees it that counts and otherwise does what the system's
//! does.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use diesel::prelude::*;
use diesel_event_store::projection::Projection;
use diesel_event_store::{ExpectedVersion, LogQuery, NewEvent, Position};
use test_support::sqlite_file::SqliteFile;

use super::database::{STORE, events, stream};

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn note(bytes: isize) {
    HELD.set(HELD.get() + bytes);
    PEAK.set(PEAK.get().max(HELD.get()));
}

// SAFETY: every call is passed on to the system's allocator as it is; counting allocates nothing.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size() as isize);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        note(-(layout.size() as isize));
        unsafe { System.dealloc(memory, layout) }
    }
}

/// The most bytes that `work` holds at a time, beyond what was held before it.
fn peak_of(work: impl FnOnce()) -> isize {
    let before = HELD.get();
    PEAK.set(before);
    work();
    PEAK.get() - before
}

fn log_of(events_in_log: usize) -> (SqliteFile, SqliteConnection) {
    let database = SqliteFile::migrated();
    let mut conn = database.connect();
    for _ in 0..events_in_log / 1000 {
        STORE.append(&mut conn, &stream("1"), ExpectedVersion::Any, &events(1000)).unwrap();
    }
    (database, conn)
}

fn whole_log() -> LogQuery {
    LogQuery::after(Position::START)
}

#[test]
fn iterating_holds_as_much_memory_for_a_long_log_as_for_a_short_one() {
    let (_short_database, mut short) = log_of(2_000);
    let (_long_database, mut long) = log_of(20_000);

    let iterate = |conn: &mut SqliteConnection, expected: usize| {
        let read = STORE.iter_log(conn, whole_log()).map(Result::unwrap).count();
        assert_eq!(read, expected);
    };
    let (of_short, of_long) =
        (peak_of(|| iterate(&mut short, 2_000)), peak_of(|| iterate(&mut long, 20_000)));
    assert!(of_long < of_short + of_short / 10, "{of_short} bytes for 2,000 events, {of_long} for 20,000");

    let iterate_stream = |conn: &mut SqliteConnection, expected: usize| {
        let read = STORE.iter_stream(conn, &stream("1"), ..).map(Result::unwrap).count();
        assert_eq!(read, expected);
    };
    let (of_short, of_long) =
        (peak_of(|| iterate_stream(&mut short, 2_000)), peak_of(|| iterate_stream(&mut long, 20_000)));
    assert!(of_long < of_short + of_short / 10, "{of_short} bytes for 2,000 events, {of_long} for 20,000");

    // That the measurement can tell: whoever collects the events holds them all.
    let collect = |conn: &mut SqliteConnection| drop(STORE.iter_log(conn, whole_log()).collect::<Vec<_>>());
    let (of_short, of_long) = (peak_of(|| collect(&mut short)), peak_of(|| collect(&mut long)));
    assert!(of_long > 5 * of_short, "{of_short} bytes for 2,000 events, {of_long} for 20,000");
}

/// Of 40 events of a mebibyte each, a page of four is held, and the event that is being read.
#[test]
fn large_events_are_read_a_few_at_a_time() {
    const MIB: usize = 1 << 20;
    let database = SqliteFile::migrated();
    let mut conn = database.connect();
    for _ in 0..40 {
        let scan = NewEvent::new("Scanned", &"x".repeat(MIB)).unwrap();
        STORE.append(&mut conn, &stream("1"), ExpectedVersion::Any, &[scan]).unwrap();
    }
    let bound = isize::try_from(7 * MIB).unwrap();

    let of_projection = peak_of(|| {
        let scans = Projection::new("scans", 1, |_: &mut SqliteConnection, _| Ok(())).page_bytes(4 * MIB);
        assert_eq!(scans.catch_up(&mut conn).unwrap().applied(), 40);
    });
    assert!(of_projection < bound, "{of_projection} bytes by a projection");

    let of_iterator = peak_of(|| {
        let read = STORE.iter_log(&mut conn, whole_log().max_bytes(4 * MIB)).map(Result::unwrap);
        assert_eq!(read.count(), 40);
    });
    assert!(of_iterator < bound, "{of_iterator} bytes by an iterator");
}
