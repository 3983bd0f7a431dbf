//! What a runner costs that has nothing to do. A program of its own, because wake-ups reach all threads of a
//! process.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use diesel::connection::{Connection, InstrumentationEvent};
use diesel::sqlite::SqliteConnection;
use diesel_event_store::projection::{self, PartitionStatus, Projection, Runner, RunnerHandle};
use test_support::sqlite_file::SqliteFile;
use test_support::{Result, advances_until, eventually};

/// Of the runner with one partition, before they are compared.
const STATEMENTS: usize = 200;

struct Idle {
    statements: Arc<AtomicUsize>,
    running: RunnerHandle,
}

impl Idle {
    /// One that looks at the log more often than a lease is renewed, or a free partition is looked for.
    fn with(partitions: i32) -> Result<Self> {
        let database = Arc::new(SqliteFile::migrated());
        let statements = Arc::new(AtomicUsize::new(0));
        let (of_runner, counted) = (Arc::clone(&database), Arc::clone(&statements));
        let connect = move || {
            let mut conn = of_runner.connect();
            count_in(&mut conn, Arc::clone(&counted));
            Ok::<_, diesel::ConnectionError>(conn)
        };
        let nothing =
            Projection::new("nothing", 1, |_: &mut SqliteConnection, _| Ok(())).partitions(partitions);
        let running =
            Runner::new(connect).longest_pause(Duration::from_millis(20)).projection(nothing).start()?;
        let mut conn = database.connect();
        eventually("every partition is followed", || {
            let status = projection::status(&mut conn)?;
            Ok(status[0].partitions().iter().all(|partition| PartitionStatus::owner(partition).is_some()))
        })?;
        Ok(Self { statements, running })
    }

    fn statements(&self) -> usize {
        self.statements.load(Ordering::Relaxed)
    }
}

fn count_in(conn: &mut SqliteConnection, statements: Arc<AtomicUsize>) {
    conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if matches!(event, InstrumentationEvent::StartQuery { .. }) {
            statements.fetch_add(1, Ordering::Relaxed);
        }
    });
}

#[test]
fn partitions_share_their_looks_at_the_log() -> Result {
    let (one, four) = (Idle::with(1)?, Idle::with(4)?);
    let before = [one.statements(), four.statements()];
    advances_until("one has looked", || Ok(one.statements() - before[0]), |seen| *seen >= STATEMENTS)?;
    let of_four = four.statements() - before[1];
    assert!(of_four < 2 * STATEMENTS, "{of_four} with four partitions, {STATEMENTS} with one");
    one.running.stop()?;
    Ok(four.running.stop()?)
}
