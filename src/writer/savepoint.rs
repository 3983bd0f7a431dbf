use std::num::NonZeroU32;

use diesel::RunQueryDsl;
use diesel::connection::{AnsiTransactionManager, TransactionManager};
use diesel::result::{Error, QueryResult};
use diesel::sqlite::{Sqlite, SqliteConnection};

use super::error::WriterError;
use super::job::Job;
use crate::storage::sql::statement::statement;

type Manager = AnsiTransactionManager;

// Prepared once, unlike diesel's own savepoints.
statement! {
    for Sqlite;
    SetSavepoint,
    "SAVEPOINT diesel_event_store_job"
}

statement! {
    for Sqlite;
    Release,
    "RELEASE diesel_event_store_job"
}

statement! {
    for Sqlite;
    RollBack,
    "ROLLBACK TO diesel_event_store_job"
}

/// Runs a job so that its part can be rolled back alone. An error means that the transaction is lost.
///
/// If SQLite (after a disk failure) or a closure (by hand) has ended the transaction, the savepoint has ended
/// with it: it can be neither released nor rolled back to.
pub(super) fn run(conn: &mut SqliteConnection, job: &mut dyn Job) -> Result<(), WriterError> {
    SetSavepoint.execute(conn)?;
    let mut kept = job.run(conn);
    if end_nested(conn).map_err(|_| WriterError::Interrupted)? && kept {
        job.reject(WriterError::LeftOpen);
        kept = false;
    }
    end(conn, kept)
}

/// Rolls back what a closure has begun and not ended; a panic leaves that behind, too. Returns whether there
/// was anything.
fn end_nested(conn: &mut SqliteConnection) -> QueryResult<bool> {
    let mut found = false;
    while depth(conn)? > 1 {
        found = true;
        Manager::rollback_transaction(conn)?;
    }
    Ok(found)
}

/// How many transactions diesel has open; the writer's own is the first.
fn depth(conn: &mut SqliteConnection) -> QueryResult<u32> {
    let depth = Manager::transaction_manager_status_mut(conn).transaction_depth()?;
    depth.map(NonZeroU32::get).ok_or(Error::NotInTransaction)
}

fn end(conn: &mut SqliteConnection, keep: bool) -> Result<(), WriterError> {
    let rolled_back = if keep { Ok(0) } else { RollBack.execute(conn) };
    rolled_back.and_then(|_| Release.execute(conn)).map(drop).map_err(|_| WriterError::Interrupted)
}
