//! What a runner costs that has nothing to do. A program of its own, because wake-ups reach all threads of a
//! process.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use diesel::connection::{Connection, InstrumentationEvent};
use diesel_event_store::projection::{self, PartitionStatus, Projection, Runner, RunnerHandle};
use test_support::{Result, TestDatabase, advances_until, eventually};

/// Of the runner with one partition, before they are compared.
const STATEMENTS: usize = 200;

struct Idle {
    statements: Arc<AtomicUsize>,
    running: RunnerHandle,
}

impl Idle {
    /// One that looks at the log more often than a lease is renewed, or a free partition is looked for.
    fn with<D: TestDatabase>(partitions: i32) -> Result<Self> {
        let database = Arc::new(D::migrated()?);
        let statements = Arc::new(AtomicUsize::new(0));
        let (of_runner, counted) = (Arc::clone(&database), Arc::clone(&statements));
        let connect = move || -> Result<D::Conn> {
            let mut conn = of_runner.connect()?;
            count_in(&mut conn, Arc::clone(&counted));
            Ok(conn)
        };
        let nothing = Projection::new("nothing", 1, |_: &mut D::Conn, _| Ok(())).partitions(partitions);
        let running =
            Runner::new(connect).longest_pause(Duration::from_millis(20)).projection(nothing).start()?;
        let mut conn = database.connect()?;
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

fn count_in(conn: &mut impl Connection, statements: Arc<AtomicUsize>) {
    conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if matches!(event, InstrumentationEvent::StartQuery { .. }) {
            statements.fetch_add(1, Ordering::Relaxed);
        }
    });
}

/// One database after the other: a runner that starts wakes up all that are idle.
static TURN: Mutex<()> = Mutex::new(());

fn partitions_share_their_looks_at_the_log<D: TestDatabase>() -> Result {
    let _turn = TURN.lock();
    let (one, four) = (Idle::with::<D>(1)?, Idle::with::<D>(4)?);
    let before = [one.statements(), four.statements()];
    advances_until("one has looked", || Ok(one.statements() - before[0]), |seen| *seen >= STATEMENTS)?;
    let of_four = four.statements() - before[1];
    assert!(of_four < 2 * STATEMENTS, "{of_four} with four partitions, {STATEMENTS} with one");
    one.running.stop()?;
    Ok(four.running.stop()?)
}

#[cfg(feature = "sqlite")]
#[test]
fn partitions_share_their_looks_at_the_log_sqlite() -> Result {
    partitions_share_their_looks_at_the_log::<test_support::Sqlite>()
}

#[cfg(feature = "postgres")]
#[test]
fn partitions_share_their_looks_at_the_log_postgres() -> Result {
    partitions_share_their_looks_at_the_log::<test_support::Postgres>()
}

#[cfg(feature = "mysql")]
#[test]
fn partitions_share_their_looks_at_the_log_mysql() -> Result {
    partitions_share_their_looks_at_the_log::<test_support::Mysql>()
}
