//! A copy that is killed, again and again, while writers append.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread;
use std::time::Duration;

use diesel_event_store::projection::Projection;
use diesel_event_store::{
    AppendError, EventConnection, EventStore, ExpectedVersion, NewEvent, RecordedEvent, StreamId,
};
use test_support::random::Random;
use test_support::{TestDatabase, count};

use super::run::{answer, command, wanted_kills};
use super::shop::append;

const STORE: EventStore = EventStore::new();
const WRITERS: usize = 2;
/// In milliseconds.
const SHORTEST: u64 = 40;

/// A log moves between two databases, to and fro, until the command was killed often enough and the last move
/// has come to its end. Writers append wherever the log is.
pub fn moves_to_and_fro<S: TestDatabase, T: TestDatabase>(usual_kills: u32) {
    let (here, there) = (S::migrated().unwrap(), T::create().unwrap());
    let filled = fill(&here);
    let (stop, committed) = (AtomicBool::new(false), AtomicI64::new(filled));
    let is_there = thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (here, there, stop, committed) = (&here, &there, &stop, &committed);
            scope.spawn(move || append_wherever_it_is(here, there, writer, stop, committed));
        }
        let is_there = move_killed(&here.url(), &there.url(), wanted_kills(usual_kills));
        stop.store(true, Ordering::Relaxed);
        is_there
    });
    let committed = committed.into_inner();
    assert!(committed > filled, "nothing was appended meanwhile");
    let urls = if is_there { [there.url(), here.url()] } else { [here.url(), there.url()] };
    let [open, closed] = urls.each_ref().map(|url| events(&answer(url, &["export", "-"])));
    assert_eq!(open.len() as i64, committed, "an event was lost or doubled");
    assert!(open.starts_with(&closed), "what has moved is another log");
    let sound = answer(&urls[0], &["verify"]);
    assert!(sound.contains("all agree"), "{sound}");
    let mails = answer(&urls[0], &["projections"]);
    assert!(mails.starts_with("mails v1  1  "), "its checkpoint has not moved along: {mails}");
}

/// More than a batch, and a projection that is not at its end. Returns how many events.
fn fill<D: TestDatabase>(db: &D) -> i64 {
    let mut conn = db.connect().unwrap();
    append(&mut conn, "first", &["OrderPlaced"]);
    Projection::new("mails", 1, |_: &mut D::Conn, _: &RecordedEvent| Ok(())).catch_up(&mut conn).unwrap();
    for order in 0..120 {
        append(&mut conn, &order.to_string(), &["OrderPlaced"; 100]);
    }
    count(&mut conn, "events").unwrap()
}

/// The lines of an export that are events.
fn events(export: &str) -> Vec<String> {
    let lines = export.lines().filter(|line| line.starts_with("{\"global_position\""));
    lines.map(str::to_owned).collect()
}

/// Returns whether the log is there at the end. The command is given a little longer each time, until it has
/// come to its end.
fn move_killed(here: &str, there: &str, kills: u32) -> bool {
    let (mut random, mut longest, mut killed, mut is_there) = (Random::from_seed(15), SHORTEST, 0, false);
    loop {
        let [from, to] = if is_there { [there, here] } else { [here, there] };
        let mut copy =
            command(&["copy", from, to, "--keep", "mails", "--wait", "300", "--yes"]).spawn().unwrap();
        if killed < kills {
            thread::sleep(Duration::from_millis(random.below(longest)));
            copy.kill().unwrap();
        }
        match copy.wait().unwrap().code() {
            Some(0) if killed >= kills => return !is_there,
            Some(0) => (is_there, longest) = (!is_there, SHORTEST),
            Some(code) => panic!("the copy has ended by itself with {code}"),
            None => {
                killed += 1;
                longest += longest / 6;
            }
        }
    }
}

fn append_wherever_it_is<S: TestDatabase, T: TestDatabase>(
    here: &S,
    there: &T,
    writer: usize,
    stop: &AtomicBool,
    committed: &AtomicI64,
) {
    let (mut conn, mut other) = (here.connect().unwrap(), there.connect().unwrap());
    let mut is_there = false;
    while !stop.load(Ordering::Relaxed) {
        let appended = if is_there { order(&mut other, writer) } else { order(&mut conn, writer) };
        match appended {
            Ok(()) => _ = committed.fetch_add(1, Ordering::Relaxed),
            Err(AppendError::LogClosed(_)) => is_there = !is_there,
            Err(error) if error.is_retryable() => {}
            Err(error) => panic!("{error:?}"),
        }
        thread::sleep(Duration::from_millis(3));
    }
}

fn order<C: EventConnection>(conn: &mut C, writer: usize) -> Result<(), AppendError> {
    let stream = StreamId::new("Order", format!("writer {writer}"))?;
    STORE.append(conn, &stream, ExpectedVersion::Any, &[NewEvent::new("OrderPlaced", &writer)?]).map(drop)
}

#[test]
fn a_killed_copy_goes_on() {
    moves_to_and_fro::<test_support::Sqlite, test_support::Sqlite>(30);
}
