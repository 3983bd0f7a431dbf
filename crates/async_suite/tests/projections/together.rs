//! Workers of both kinds on one projection.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_suite::RUNTIME;
use real::projection::{self, Runner};
use support::{Result, eventually, wait_for_projection};

use super::database::{Database, on_each_database};
use super::read_model::{NAME, append, application, applied, blocking_users, users, versions_of};
use super::runner::runner;

on_each_database! {
    both_have_a_share_and_each_event_is_applied_once:
        both_have_a_share_and_each_event_is_applied_once_postgres,
        both_have_a_share_and_each_event_is_applied_once_mysql;
}

fn both_have_a_share_and_each_event_is_applied_once<D: Database>() -> Result {
    let (database, mut witness) = application::<D>()?;
    let database = Arc::new(database);
    let lease = Duration::from_secs(2);
    let awaited = runner(&database).name("awaited").projection(users::<D>().partitions(4).lease(lease));
    let awaited = RUNTIME.block_on(awaited.start())?;
    let of_threads = Arc::clone(&database);
    let blocking = Runner::new(move || of_threads.connect())
        .name("blocking")
        .projection(blocking_users::<D>().partitions(4).lease(lease))
        .start()?;
    eventually("both to have two partitions", || {
        let status = projection::status(&mut witness)?;
        let owners = status[0].partitions().iter().filter_map(|partition| partition.owner());
        let mut kinds: Vec<_> = owners.map(|owner| owner.split(' ').next().unwrap_or("")).collect();
        kinds.sort_unstable();
        Ok(kinds == ["awaited", "awaited", "blocking", "blocking"])
    })?;

    let names: BTreeSet<_> = (1..=12).map(|number| format!("user-{number}")).collect();
    let mut last = None;
    for _ in 0..5 {
        for name in &names {
            last = Some(append(&mut witness, name, 2)?.last_position());
        }
    }
    wait_for_projection(&mut witness, (NAME, 1), last.ok_or("there are events")?)?;

    // What one gives back, the other takes over.
    blocking.stop()?;
    for name in &names {
        last = Some(append(&mut witness, name, 1)?.last_position());
    }
    wait_for_projection(&mut witness, (NAME, 1), last.ok_or("there are events")?)?;
    RUNTIME.block_on(awaited.stop())?;

    let applied = applied(&mut witness)?;
    for name in &names {
        let versions = versions_of(&applied, &format!("{name} "));
        assert_eq!(versions, (1..=11).collect::<Vec<_>>(), "{name}");
    }
    Ok(())
}
