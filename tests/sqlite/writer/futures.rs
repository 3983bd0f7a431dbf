//! With nothing but what the standard library has: any runtime does the same.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use diesel_event_store::sqlite::{Ticket, Writer, WriterOptions};
use diesel_event_store::{Error, ExpectedVersion};
use test_support::sqlite_file::SqliteFile;

use super::super::database::{STORE, append_one, event, stream};
use super::gate::Gate;

/// Wakes a thread, and counts how often.
struct Woken {
    thread: Thread,
    times: AtomicUsize,
}

impl Woken {
    fn this_thread() -> Arc<Self> {
        Arc::new(Self { thread: thread::current(), times: AtomicUsize::new(0) })
    }

    fn times(&self) -> usize {
        self.times.load(Ordering::SeqCst)
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.times.fetch_add(1, Ordering::SeqCst);
        self.thread.unpark();
    }
}

fn run<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Woken::this_thread());
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

#[test]
fn requests_can_be_awaited() {
    let database = SqliteFile::migrated();
    let writer = Writer::new(database.connect()).unwrap();
    let versions = run(async {
        let appended = writer.append(&stream("1"), ExpectedVersion::NoStream, [event()]).await?;
        let closure = writer.transaction(|conn| Ok::<_, Error>(append_one(conn, &stream("1")))).await?;
        writer.drain().await?;
        Ok::<_, Error>((appended.version(), closure))
    });
    assert_eq!(versions.unwrap(), (1, 2));
}

#[test]
fn many_tasks_on_one_thread_share_commits() {
    let database = SqliteFile::migrated();
    let writer = Writer::new(database.connect()).unwrap();
    let waker = Waker::from(Woken::this_thread());
    let mut tasks: Vec<_> = (0..50)
        .map(|nth: i32| {
            let writer = writer.clone();
            let stream = stream(&nth.to_string());
            Box::pin(async move {
                for version in 0..10 {
                    writer.append(&stream, ExpectedVersion::Exact(version), [event()]).await.unwrap();
                }
            })
        })
        .collect();
    while !tasks.is_empty() {
        tasks.retain_mut(|task| task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        thread::park_timeout(std::time::Duration::from_millis(1));
    }
    assert_eq!(STORE.last_position(&mut database.connect()).unwrap().get(), 500);
}

#[test]
fn a_full_queue_keeps_a_future_waiting_and_not_its_thread() {
    let database = SqliteFile::migrated();
    let writer = WriterOptions::default().queue_capacity(1).start(database.connect()).unwrap();
    let gate = Gate::close(&writer);
    let first = writer.append(&stream("1"), ExpectedVersion::Any, [event()]).send();
    let woken = Woken::this_thread();
    let waker = Waker::from(Arc::clone(&woken));
    let mut waiting = pin!(writer.append(&stream("1"), ExpectedVersion::Any, [event()]));
    for _ in 0..3 {
        assert!(waiting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    assert_eq!(woken.times(), 0);
    gate.open();
    first.wait().unwrap();
    assert_eq!(run(waiting).unwrap().version(), 2);
    assert_eq!(woken.times(), 1, "when there was room");
}

#[test]
fn a_future_that_is_dropped_while_it_waits_for_room_lets_the_others_in() {
    let database = SqliteFile::migrated();
    let writer = WriterOptions::default().queue_capacity(1).start(database.connect()).unwrap();
    let gate = Gate::close(&writer);
    let request = || writer.append(&stream("1"), ExpectedVersion::Any, [event()]);
    let first = request().send();
    let waker = Waker::from(Woken::this_thread());
    let mut impatient = Box::pin(request());
    assert!(impatient.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    thread::scope(|scope| {
        let patient = scope.spawn(|| request().wait().unwrap());
        thread::sleep(std::time::Duration::from_millis(50));
        drop(impatient);
        gate.open();
        assert_eq!(patient.join().unwrap().version(), 2);
    });
    first.wait().unwrap();
    assert_eq!(STORE.version(&mut database.connect(), &stream("1")).unwrap(), 2);
}

#[test]
fn a_future_that_is_dropped_after_it_was_sent_is_written() {
    let database = SqliteFile::migrated();
    let writer = Writer::new(database.connect()).unwrap();
    let gate = Gate::close(&writer);
    let waker = Waker::from(Woken::this_thread());
    let mut sent = Box::pin(writer.append(&stream("1"), ExpectedVersion::Any, [event()]));
    assert!(sent.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    drop(sent);
    gate.open();
    writer.drain().wait().unwrap();
    assert_eq!(STORE.version(&mut database.connect(), &stream("1")).unwrap(), 1);
}

#[test]
fn a_ticket_that_was_polled_can_be_waited_for_by_another_thread() {
    let database = SqliteFile::migrated();
    let writer = Writer::new(database.connect()).unwrap();
    let gate = Gate::close(&writer);
    let waker = Waker::from(Woken::this_thread());
    let mut ticket = writer.append(&stream("1"), ExpectedVersion::Any, [event()]).send();
    assert!(pin!(&mut ticket).poll(&mut Context::from_waker(&waker)).is_pending());
    let waiting = thread::spawn(|| Ticket::wait(ticket).unwrap());
    gate.open();
    assert_eq!(waiting.join().unwrap().version(), 1);
}
