//! What a copy to MySQL or MariaDB waits for, and who is in its way.

use std::thread::{self, JoinHandle};
use std::time::Duration;

use diesel::mysql::MysqlConnection;
use diesel_event_store::operate::FreezeError;
use diesel_event_store::transfer::{
    Copied, CopyControl, CopyError, CopyOptions, ImportError, Next, copy, copy_with, discard,
};
use diesel_event_store::{LogState, run_pending_migrations};
use test_support::{Result, count};

use super::asking::until_waiting;
use super::database::{Database, STORE, append, begin, commit};

/// Discards the target when it has caught up, and goes on as if it knew nothing of that.
struct IsDiscarded {
    conns: Option<(MysqlConnection, MysqlConnection)>,
    discarding: Option<JoinHandle<Result<bool, ImportError>>>,
}

impl CopyControl for IsDiscarded {
    fn caught_up(&mut self, _so_far: &Copied) -> Next {
        let (mut discarding, mut watching) = self.conns.take().expect("it is asked once");
        self.discarding = Some(thread::spawn(move || discard(&mut discarding)));
        until_waiting(&mut watching, 1).expect("it waits");
        Next::Switch
    }
}

/// The events are gone already, and what comes behind them waits for somebody who uses it.
#[test]
fn a_target_that_is_being_discarded_does_not_open() -> Result {
    let source = Database::migrated()?;
    let target = source.neighbour()?;
    let (mut from, mut to, mut using) = (source.connect()?, target.connect()?, target.connect()?);
    run_pending_migrations(&mut to)?;
    append(&mut from, "moves")?;
    begin(&mut using)?;
    count(&mut using, "snapshots")?;
    let mut control = IsDiscarded { conns: Some((target.connect()?, target.connect()?)), discarding: None };

    let copied = copy_with(&mut from, &mut to, &CopyOptions::to("elsewhere"), &mut control);
    assert!(matches!(copied, Err(CopyError::Overtaken)), "{copied:?}");
    assert!(STORE.log_closed(&mut to)?.is_some());
    commit(&mut using)?;
    let discarding = control.discarding.ok_or("it has begun")?;
    assert!(discarding.join().expect("it does not panic")?);
    assert_eq!((STORE.log_closed(&mut to)?, count(&mut to, "events")?), (None, 0));
    append(&mut from, "stays")?;
    Ok(())
}

#[test]
fn a_log_moves_back_when_nobody_reads_it_any_more() -> Result {
    let home = Database::migrated()?;
    let there = home.neighbour()?;
    let (mut from, mut to, mut reading) = (home.connect()?, there.connect()?, home.connect()?);
    run_pending_migrations(&mut to)?;
    append(&mut from, "moves")?;
    copy(&mut from, &mut to, &CopyOptions::to("there"), |_| true)?;
    append(&mut to, "moves")?;

    begin(&mut reading)?;
    assert_eq!(count(&mut reading, "events")?, 1);
    let hasty = copy(&mut to, &mut from, &CopyOptions::to("home").patience(Duration::ZERO), |_| true);
    assert!(matches!(hasty, Err(CopyError::Freeze(FreezeError::InTheWay { .. }))), "{hasty:?}");
    assert!(STORE.log_closed(&mut from)?.is_some_and(|closed| closed.state() == LogState::Frozen));
    append(&mut to, "is in use")?;
    commit(&mut reading)?;
    assert_eq!(copy(&mut to, &mut from, &CopyOptions::to("home"), |_| true)?.events(), 2);
    append(&mut from, "is back")?;
    Ok(())
}
