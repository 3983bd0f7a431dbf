use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::Duration;

use test_support::LONG;
use test_support::witness::Entry;

/// How often a reader may stand still before the end of the log while nobody is appending. It is a matter of
/// very few reads; there only has to be a bound.
pub const MOST_STANDSTILLS: usize = 1000;

/// Somebody who follows the log.
pub trait Follower: Send {
    /// Reads on, and returns how many events it has seen.
    fn read(&mut self) -> test_support::Result<usize>;

    fn scanned_to(&self) -> i64;

    /// Compares what it has seen with what has been committed, both since the last time, and returns how many
    /// events it has missed.
    fn missed(&mut self, committed: &[Entry]) -> usize;
}

/// What a follower says at a quiet moment, when it has read to the end.
pub struct Report {
    pub missed: usize,
    /// How often it stood still before it was there.
    pub standstills: usize,
}

/// A follower in a thread of its own.
pub struct Following<'scope, F> {
    committed: Sender<Arc<[Entry]>>,
    reports: Receiver<Report>,
    thread: ScopedJoinHandle<'scope, test_support::Result<F>>,
}

impl<'scope, F: Follower + 'scope> Following<'scope, F> {
    pub fn start(scope: &'scope Scope<'scope, '_>, follower: F) -> Self {
        let (committed, told) = mpsc::channel();
        let (report, reports) = mpsc::channel();
        let thread = scope.spawn(move || follow(follower, &told, &report));
        Self { committed, reports, thread }
    }

    /// Nobody is appending any more, and this is what has been committed since the last time.
    pub fn tell(&self, committed: &Arc<[Entry]>) {
        // If it has failed, `report` says so.
        let _ = self.committed.send(Arc::clone(committed));
    }

    pub fn report(&self) -> test_support::Result<Report> {
        match self.reports.recv_timeout(LONG) {
            Ok(report) => Ok(report),
            Err(RecvTimeoutError::Disconnected) => Err("a reader has failed".into()),
            // Whoever failed now would wait for its thread.
            Err(RecvTimeoutError::Timeout) => {
                eprintln!("a reader has not come back from a read for {LONG:?}");
                std::process::exit(1);
            }
        }
    }

    pub fn finish(self) -> test_support::Result<F> {
        drop(self.committed);
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

fn follow<F: Follower>(
    mut follower: F,
    told: &Receiver<Arc<[Entry]>>,
    report: &Sender<Report>,
) -> test_support::Result<F> {
    loop {
        match told.try_recv() {
            Ok(committed) => {
                let standstills =
                    catch_up(&mut follower, committed.last().map_or(0, |entry| entry.position))?;
                report.send(Report { missed: follower.missed(&committed), standstills })?;
            }
            Err(TryRecvError::Empty) => {
                if follower.read()? == 0 {
                    thread::sleep(Duration::from_millis(1));
                }
            }
            Err(TryRecvError::Disconnected) => return Ok(follower),
        }
    }
}

fn catch_up(follower: &mut impl Follower, end: i64) -> test_support::Result<usize> {
    let mut standstills = 0;
    while follower.scanned_to() < end {
        let before = follower.scanned_to();
        follower.read()?;
        if follower.scanned_to() == before {
            standstills += 1;
            if standstills > MOST_STANDSTILLS {
                return Err(format!("a reader stands still at {before} although {end} is committed").into());
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
    Ok(standstills)
}
