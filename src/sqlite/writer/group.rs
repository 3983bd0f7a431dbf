use std::time::{Duration, Instant};

use diesel::connection::{
    AnsiTransactionManager, SimpleConnection, TransactionManager, TransactionManagerStatus,
};
use diesel::sqlite::SqliteConnection;

use super::error::WriterError;
use super::job::Job;
use super::savepoint;
use crate::observe;
use crate::wake;

type Manager = AnsiTransactionManager;

/// Runs jobs in one transaction and tells everybody what came of it. Those that had not been run when a transaction was
/// lost are run in a new one.
pub(super) fn run(conn: &mut SqliteConnection, mut jobs: Vec<Box<dyn Job>>) {
    while !jobs.is_empty() {
        if let Err(error) = Manager::begin_transaction_sql(conn, "BEGIN IMMEDIATE") {
            return fail(jobs, &error.into());
        }
        let mut begun = 0;
        let committed = run_and_commit(conn, &mut jobs, &mut begun);
        let others = jobs.split_off(begun);
        match committed {
            Ok(commit) => {
                observe::writer::committed(jobs.len(), commit);
                wake::hint();
                jobs.into_iter().for_each(Job::committed);
            }
            Err(error) => {
                abandon(conn);
                fail(jobs, &error);
            }
        }
        jobs = others;
    }
}

/// How long the commit has taken.
fn run_and_commit(
    conn: &mut SqliteConnection,
    jobs: &mut [Box<dyn Job>],
    begun: &mut usize,
) -> Result<Duration, WriterError> {
    for jobs in jobs.chunk_by_mut(|one, next| one.is_repeatable() && next.is_repeatable()) {
        *begun += jobs.len();
        savepoint::run(conn, jobs)?;
    }
    let committing = Instant::now();
    Manager::commit_transaction(conn)?;
    Ok(committing.elapsed())
}

fn fail(jobs: Vec<Box<dyn Job>>, error: &WriterError) {
    observe::writer::failed(jobs.len(), error);
    jobs.into_iter().for_each(|job| job.failed(error.clone()));
}

/// Whatever state SQLite and diesel are in, the next group finds the connection without a transaction.
fn abandon(conn: &mut SqliteConnection) {
    // Fails where SQLite has rolled back already.
    let _ = conn.batch_execute("ROLLBACK");
    *Manager::transaction_manager_status_mut(conn) = TransactionManagerStatus::default();
}
