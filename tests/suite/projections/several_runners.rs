//! Several runners share the partitions of a projection, as several processes would.

use std::collections::BTreeMap;
use std::time::Duration;

use diesel_event_store::EventConnection;
use diesel_event_store::projection::{PartitionStatus, Projection, RunnerHandle};
use test_support::{Result, TestDatabase, advances_until, count, eventually, execute, wait_for_projection};

use super::{NAME, append, application, applied, runner, set, status, users};

tests! {
    they_share_fairly_and_take_over,
    what_cannot_be_shared_equally_is_shared_as_fairly_as_it_can_be,
    one_partition_is_for_one_and_the_other_stands_by,
    what_is_given_back_is_taken_over_long_before_a_lease_runs_out,
    what_a_dead_worker_had_is_taken_over_once_its_lease_has_run_out,
    a_runner_of_the_same_name_takes_back_what_it_had,
    what_a_runner_without_a_name_had_is_left_until_its_lease_has_run_out,
}

/// Runners look after each other every third of a lease. It is long enough for a machine that is busy with
/// other tests.
const LEASE: Duration = Duration::from_secs(5);

fn shared<C: EventConnection + 'static>(partitions: i32) -> Projection<C> {
    users().partitions(partitions).batch_size(5).lease(LEASE)
}

/// How many partitions each worker has, by their names, which are in front of a unique id.
fn shares<C: EventConnection>(conn: &mut C) -> Result<BTreeMap<String, usize>> {
    let mut shares = BTreeMap::new();
    for owner in status(conn)?.partitions().iter().filter_map(PartitionStatus::owner) {
        let (name, _) = owner.split_once(' ').ok_or("an owner has a name and an id")?;
        *shares.entry(name.to_owned()).or_default() += 1;
    }
    Ok(shares)
}

fn have<C: EventConnection>(conn: &mut C, expected: &[(&str, usize)]) -> Result {
    let expected = expected.iter().map(|(name, share)| ((*name).to_owned(), *share)).collect();
    let mut found = BTreeMap::new();
    let outcome = eventually(&format!("shares are {expected:?}"), || {
        found = shares(conn)?;
        Ok(found == expected)
    });
    outcome.map_err(|error| format!("{error}, but {found:?}").into())
}

fn assert_complete<C: EventConnection>(conn: &mut C, events: i64) -> Result {
    advances_until("all is applied", || Ok(count(conn, "applied")?), |applied| *applied >= events)?;
    let mut rows = applied(conn)?;
    rows.sort();
    rows.dedup();
    assert_eq!(i64::try_from(rows.len())?, events);
    assert_eq!(count(conn, "applied")?, events);
    Ok(())
}

fn stop(running: RunnerHandle) {
    // On a machine that is busy enough a lease may run out, which is reported. Nothing is applied twice for
    // it.
    let _ = running.stop();
}

fn they_share_fairly_and_take_over<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let one = runner(&db).name("one").projection(shared(4)).start()?;
    have(&mut conn, &[("one", 4)])?;
    for user in 0..10 {
        append(&mut conn, &format!("user-{user}"), 2)?;
    }
    let two = runner(&db).name("two").projection(shared(4)).start()?;
    have(&mut conn, &[("one", 2), ("two", 2)])?;
    assert!(status(&mut conn)?.is_healthy());
    for user in 0..10 {
        append(&mut conn, &format!("user-{user}"), 2)?;
    }
    stop(one);
    have(&mut conn, &[("two", 4)])?;
    for user in 0..10 {
        append(&mut conn, &format!("user-{user}"), 2)?;
    }
    assert_complete(&mut conn, 60)?;
    stop(two);
    Ok(())
}

fn what_cannot_be_shared_equally_is_shared_as_fairly_as_it_can_be<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let one = runner(&db).name("one").projection(shared(3)).start()?;
    have(&mut conn, &[("one", 3)])?;
    let two = runner(&db).name("two").projection(shared(3)).start()?;
    eventually("nobody has more than two", || {
        let shares = shares(&mut conn)?;
        Ok(shares.values().sum::<usize>() == 3 && shares.len() == 2)
    })?;
    stop(one);
    stop(two);
    Ok(())
}

fn one_partition_is_for_one_and_the_other_stands_by<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let one = runner(&db).name("one").projection(shared(1)).start()?;
    have(&mut conn, &[("one", 1)])?;
    let two = runner(&db).name("two").projection(shared(1)).start()?;
    append(&mut conn, "alice", 3)?;
    assert_complete(&mut conn, 3)?;
    have(&mut conn, &[("one", 1)])?;
    stop(one);
    have(&mut conn, &[("two", 1)])?;
    append(&mut conn, "alice", 3)?;
    assert_complete(&mut conn, 6)?;
    stop(two);
    Ok(())
}

/// Of which a third is longer than any test waits.
fn patient<C: EventConnection + 'static>(partitions: i32) -> Projection<C> {
    users().partitions(partitions).lease(Duration::from_secs(3600))
}

fn what_is_given_back_is_taken_over_long_before_a_lease_runs_out<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let one = runner(&db).name("one").projection(patient(4)).start()?;
    have(&mut conn, &[("one", 4)])?;
    let two = runner(&db).name("two").projection(patient(4)).start()?;
    have(&mut conn, &[("one", 2), ("two", 2)])?;
    stop(one);
    have(&mut conn, &[("two", 4)])?;
    stop(two);
    Ok(())
}

const DEAD: &str = "018f0000-0000-7000-8000-000000000000";

fn what_a_dead_worker_had_is_taken_over_once_its_lease_has_run_out<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    patient(2).catch_up(&mut conn)?;
    set(&mut conn, &format!("owner = 'dead {DEAD}', leased_until = 99999999999999"))?;
    let one = runner(&db).name("one").projection(patient(2)).start()?;
    eventually("it has looked", || Ok(count(&mut conn, "projection_workers")? == 1))?;
    assert_eq!(shares(&mut conn)?.get("one"), None);
    set(&mut conn, "leased_until = 1")?;
    have(&mut conn, &[("one", 2)])?;
    stop(one);
    Ok(())
}

fn a_runner_of_the_same_name_takes_back_what_it_had<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    patient(2).catch_up(&mut conn)?;
    set(&mut conn, &format!("owner = 'web 1 {DEAD}', leased_until = 99999999999999"))?;
    execute(
        &mut conn,
        &format!("INSERT INTO projection_workers VALUES ('{NAME}', 1, 'web 1 {DEAD}', 99999999999999)"),
    )?;
    let running = runner(&db).name("web 1").projection(patient(2)).start()?;
    let last = append(&mut conn, "alice", 3)?.last_position();
    wait_for_projection(&mut conn, (NAME, 1), last)?;
    assert_complete(&mut conn, 3)?;
    stop(running);
    Ok(())
}

fn what_a_runner_without_a_name_had_is_left_until_its_lease_has_run_out<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    patient(1).catch_up(&mut conn)?;
    set(&mut conn, &format!("owner = 'worker {DEAD}', leased_until = 99999999999999"))?;
    for running in [runner(&db), runner(&db).name("other")] {
        stop(running.projection(patient(1)).start()?);
        assert_eq!(status(&mut conn)?.partitions()[0].owner(), Some(&*format!("worker {DEAD}")));
    }
    Ok(())
}
