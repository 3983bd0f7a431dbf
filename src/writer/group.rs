use std::time::{Duration, Instant};

use diesel::connection::{
    AnsiTransactionManager, SimpleConnection, TransactionManager, TransactionManagerStatus,
};
use diesel::sqlite::SqliteConnection;

use super::error::WriterError;
use super::job::Job;
use super::savepoint;
use crate::observe;
use crate::storage::waiting::Waiting;
use crate::store::wake_up;

type Manager = AnsiTransactionManager;

/// Runs jobs in one transaction and tells the callers the outcome. Jobs that had not run when a transaction
/// was lost run in a new one.
pub(super) fn run(conn: &mut SqliteConnection, mut jobs: Vec<Box<dyn Job>>) {
    while !jobs.is_empty() {
        let mut group = Group { conn, jobs: &mut jobs, begun: 0 };
        let outcome = group.run_and_commit();
        let begun = group.begun;
        let others = jobs.split_off(begun);
        tell_callers(jobs, outcome);
        jobs = others;
    }
}

struct Group<'a> {
    conn: &'a mut SqliteConnection,
    jobs: &'a mut [Box<dyn Job>],
    /// How many of the jobs share the outcome of the transaction.
    begun: usize,
}

impl Group<'_> {
    /// Returns how long the commit took.
    fn run_and_commit(&mut self) -> Result<Duration, WriterError> {
        let outcome = self.begin().and_then(|()| self.run_jobs()).and_then(|()| self.commit());
        if outcome.is_err() {
            self.abandon();
        }
        outcome
    }

    /// All jobs share the outcome of this step, so that a lock that is not released is waited for only once.
    fn begin(&mut self) -> Result<(), WriterError> {
        self.begun = self.jobs.len();
        let _waiting = Waiting::begin();
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

    /// Repeatable jobs need no savepoint, which would copy every page they change: if one of them leaves a
    /// part behind, which is rare, all of them begin again.
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

    /// Leaves the connection without a transaction, whatever state SQLite and diesel are in.
    fn abandon(&mut self) {
        // Fails if SQLite has already rolled back.
        let _ = self.conn.batch_execute("ROLLBACK");
        *Manager::transaction_manager_status_mut(self.conn) = TransactionManagerStatus::default();
    }
}

fn tell_callers(jobs: Vec<Box<dyn Job>>, outcome: Result<Duration, WriterError>) {
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
