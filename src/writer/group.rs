use std::time::{Duration, Instant};

use diesel::connection::{
    AnsiTransactionManager, SimpleConnection, TransactionManager, TransactionManagerStatus,
};
use diesel::sqlite::SqliteConnection;

use super::error::WriterError;
use super::job::Job;
use super::savepoint;
use crate::observe;
use crate::store::wake_up;

type Manager = AnsiTransactionManager;

/// Runs jobs in one transaction and tells everybody what came of it. Those that had not been run when a transaction was
/// lost are run in a new one.
pub(super) fn run(conn: &mut SqliteConnection, mut jobs: Vec<Box<dyn Job>>) {
    while !jobs.is_empty() {
        let mut group = Group { conn, jobs: &mut jobs, begun: 0 };
        let outcome = group.run_and_commit();
        let begun = group.begun;
        let others = jobs.split_off(begun);
        tell(jobs, outcome);
        jobs = others;
    }
}

struct Group<'a> {
    conn: &'a mut SqliteConnection,
    jobs: &'a mut [Box<dyn Job>],
    /// How many of them share the fate of the transaction.
    begun: usize,
}

impl Group<'_> {
    /// How long the commit has taken.
    fn run_and_commit(&mut self) -> Result<Duration, WriterError> {
        let outcome = self.begin().and_then(|()| self.run_jobs()).and_then(|()| self.commit());
        if outcome.is_err() {
            self.abandon();
        }
        outcome
    }

    /// Nobody waits longer than once for a lock that is not to be had.
    fn begin(&mut self) -> Result<(), WriterError> {
        self.begun = self.jobs.len();
        Manager::begin_transaction_sql(self.conn, "BEGIN IMMEDIATE")?;
        self.begun = 0;
        Ok(())
    }

    fn run_jobs(&mut self) -> Result<(), WriterError> {
        self.attempt_first_jobs()?;
        while let Some(job) = self.jobs.get_mut(self.begun) {
            self.begun += 1;
            savepoint::run(self.conn, &mut **job)?;
        }
        Ok(())
    }

    /// Those that can be repeated need no savepoint, which would copy every page they change: if one of them leaves a part
    /// behind, which is seldom, all of them are begun again.
    fn attempt_first_jobs(&mut self) -> Result<(), WriterError> {
        let first = self.jobs.iter().take_while(|job| job.is_repeatable()).count();
        if self.jobs[..first].iter_mut().all(|job| job.attempt(self.conn)) {
            self.begun = first;
            return Ok(());
        }
        self.abandon();
        self.begin()
    }

    fn commit(&mut self) -> Result<Duration, WriterError> {
        let committing = Instant::now();
        Manager::commit_transaction(self.conn)?;
        Ok(committing.elapsed())
    }

    /// Whatever state SQLite and diesel are in, the next transaction finds the connection without one.
    fn abandon(&mut self) {
        // Fails where SQLite has rolled back already.
        let _ = self.conn.batch_execute("ROLLBACK");
        *Manager::transaction_manager_status_mut(self.conn) = TransactionManagerStatus::default();
    }
}

fn tell(jobs: Vec<Box<dyn Job>>, outcome: Result<Duration, WriterError>) {
    match outcome {
        Ok(commit) => {
            observe::writer::committed(jobs.len(), commit);
            wake_up::all();
            jobs.into_iter().for_each(Job::committed);
        }
        Err(error) => {
            observe::writer::failed(jobs.len(), &error);
            jobs.into_iter().for_each(|job| job.failed(error.clone()));
        }
    }
}
