use std::path::Path;
use std::thread;
use std::time::Duration;

use diesel_event_store::EventConnection;
use diesel_event_store::projection::{ProjectionError, repartition};
use test_support::random::Random;
use test_support::worker::Worker;
use test_support::{advances_until, checkpoints, eventually, wait_for_projection};

use super::accounts::{NAME, end_of_log};

/// It runs out often: whenever a process is killed, or does not get the processor for so long.
pub const SHORT_LEASE: Duration = Duration::from_millis(500);
/// It runs out only if something is wrong.
pub const LONG_LEASE: Duration = Duration::from_secs(600);

/// The processes that apply the projection.
pub struct Crew {
    url: String,
    partitions: i32,
    lease: Duration,
    workers: Vec<Worker>,
}

impl Crew {
    /// So many, that begin with so many partitions. All have begun when this returns.
    pub fn start(url: &str, processes: usize, partitions: i32, lease: Duration) -> Self {
        let mut crew = Self { url: url.to_owned(), partitions, lease, workers: Vec::new() };
        crew.workers = (0..processes).map(|_| crew.recruit()).collect();
        crew.workers.iter().for_each(Worker::wait_until_ready);
        crew
    }

    fn recruit(&self) -> Worker {
        let arguments = [self.partitions.to_string(), self.lease.as_millis().to_string()];
        Worker::start("apply", Path::new(&self.url), &arguments)
    }

    /// SIGKILL to one of them, at a random moment; another comes in its place, sometimes late, and may
    /// not have begun yet.
    pub fn kill_one(&mut self, random: &mut Random) -> &Worker {
        thread::sleep(Duration::from_millis(random.below(50)));
        let victim = random.below(self.workers.len() as u64) as usize;
        self.workers.swap_remove(victim).kill();
        thread::sleep(Duration::from_millis([0, 0, 1000][random.below(3) as usize]));
        self.workers.push(self.recruit());
        &self.workers[self.workers.len() - 1]
    }

    /// Waits until everything in the log is applied.
    pub fn wait_for_the_end<C: EventConnection>(&self, conn: &mut C) -> test_support::Result {
        let end = end_of_log(conn)?;
        wait_for_projection(conn, (NAME, 1), end)
    }

    /// After that lets them stop in good order.
    pub fn finish<C: EventConnection>(mut self, conn: &mut C) -> test_support::Result {
        self.wait_for_the_end(conn)?;
        self.workers.iter_mut().for_each(|worker| worker.tell("stop"));
        for worker in self.workers {
            worker.finish_unless_stuck();
        }
        Ok(())
    }
}

/// Changes the number of partitions, however often a worker is in the way.
pub fn change_partitions<C: EventConnection>(conn: &mut C, partitions: i32) -> test_support::Result {
    eventually("the number of partitions is accepted", || match repartition(conn, (NAME, 1), partitions) {
        Err(ProjectionError::Database(error)) if error.is_retryable() => Ok(false),
        outcome => Ok(outcome.map(|()| true)?),
    })
}

/// Waits for as long as anything is applied on the way there.
pub fn wait_for_partitions<C: EventConnection>(conn: &mut C, partitions: usize) -> test_support::Result {
    advances_until(
        "another number of partitions",
        || checkpoints(conn, &(NAME, 1).into()),
        |checkpoints| checkpoints.len() == partitions,
    )
}
