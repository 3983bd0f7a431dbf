//! All events of an aggregate are applied in order by one partition, however many there are and become.

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use diesel_event_store::projection::{self, ProjectionError, ProjectionState};
use diesel_event_store::{EventConnection, EventStore, write_transaction};
use proptest::collection::vec;
use proptest::prelude::*;
use test_support::{Result, TestDatabase, advances_until, at_once, count, eventually, for_all};

use super::{
    Fault, NAME, Script, append, application, applied, name_of, reached, runner, set, states, status, users,
};

tests! {
    each_partition_applies_its_aggregates,
    an_aggregate_stays_in_its_partition,
    what_a_projection_was_begun_with_stays,
    the_number_is_changed_up_and_down,
    the_last_of_several_changes_counts,
    the_last_of_several_changes_counts_while_another_is_carried_out,
    a_change_is_part_of_the_applications_transaction,
    partitions_that_are_apart_meet_before_the_number_changes,
    any_change_at_any_point_neither_skips_nor_repeats,
    a_runner_changes_it_while_others_append,
    a_checkpoint_that_was_put_beyond_the_meeting_point_does_not_prevent_the_change,
    a_checkpoint_saved_by_an_older_release_does_not_prevent_the_change,
    a_partition_that_has_stopped_delays_the_change_until_it_is_resumed,
}

/// Every event of the log is in the read model once, and those of each aggregate are in their order.
fn assert_complete<C: EventConnection>(conn: &mut C) -> Result {
    let mut versions: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    let rows = applied(conn)?;
    for row in &rows {
        let (aggregate, version) = row.rsplit_once(' ').ok_or("a name has two parts")?;
        versions.entry(aggregate.to_owned()).or_default().push(version.parse()?);
    }
    for (aggregate, versions) in versions {
        let in_order = Vec::from_iter(1..=i64::try_from(versions.len())?);
        assert_eq!(versions, in_order, "of {aggregate}");
    }
    assert_eq!(i64::try_from(rows.len())?, count(conn, "events")?);
    Ok(())
}

fn append_to_many<C: EventConnection>(conn: &mut C, aggregates: usize) -> Result {
    for aggregate in 0..aggregates {
        append(conn, &format!("user-{aggregate}"), 2)?;
    }
    Ok(())
}

fn each_partition_applies_its_aggregates<D: TestDatabase>() -> Result {
    for partitions in [1, 2, 7] {
        let (_db, mut conn) = application::<D>()?;
        append_to_many(&mut conn, 20)?;
        append_to_many(&mut conn, 20)?;
        let caught_up = users().partitions(partitions).batch_size(3).catch_up(&mut conn)?;
        assert_eq!(caught_up.applied(), 80);
        assert_complete(&mut conn)?;
        let status = status(&mut conn)?;
        assert_eq!(status.partitions().len(), usize::try_from(partitions)?);
        assert_eq!(status.positions_behind(), 0);
    }
    Ok(())
}

fn an_aggregate_stays_in_its_partition<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append_to_many(&mut conn, 10)?;
    users().partitions(4).catch_up(&mut conn)?;
    // Which partition an aggregate belongs to must not change with a new version of this crate: so it is
    // written down here.
    for (aggregate, partition) in [("user-3", 0), ("user-0", 1), ("user-1", 2), ("user-5", 3)] {
        let last = append(&mut conn, aggregate, 1)?.last_position();
        let only_this = format!(
            "last_global_position = CASE partition_number WHEN {partition} THEN last_global_position ELSE {last} END"
        );
        set(&mut conn, &only_this)?;
        assert_eq!(users().catch_up(&mut conn)?.applied(), 1, "{aggregate}");
        assert_eq!(applied(&mut conn)?.pop(), Some(format!("{aggregate} 3")));
    }
    Ok(())
}

fn what_a_projection_was_begun_with_stays<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append_to_many(&mut conn, 5)?;
    users().partitions(3).catch_up(&mut conn)?;
    assert_eq!(users().partitions(8).catch_up(&mut conn)?.applied(), 0);
    assert_eq!(status(&mut conn)?.partitions().len(), 3);
    Ok(())
}

fn the_number_is_changed_up_and_down<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append_to_many(&mut conn, 10)?;
    users().catch_up(&mut conn)?;
    for partitions in [4, 4, 9, 2, 1] {
        append_to_many(&mut conn, 10)?;
        projection::repartition(&mut conn, (NAME, 1), partitions)?;
        append_to_many(&mut conn, 10)?;
        users().batch_size(3).catch_up(&mut conn)?;
        assert_complete(&mut conn)?;
        let status = status(&mut conn)?;
        assert_eq!(status.partitions().len(), usize::try_from(partitions)?);
        assert_eq!(status.positions_behind(), 0);
    }
    Ok(())
}

fn the_last_of_several_changes_counts<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append_to_many(&mut conn, 5)?;
    users().partitions(2).catch_up(&mut conn)?;
    projection::repartition(&mut conn, (NAME, 1), 7)?;
    projection::repartition(&mut conn, (NAME, 1), 3)?;
    users().catch_up(&mut conn)?;
    assert_eq!(status(&mut conn)?.partitions().len(), 3);
    assert_complete(&mut conn)
}

/// The worker has seen that all partitions have arrived, and waits for the transaction that asks for another
/// number at the same position.
fn the_last_of_several_changes_counts_while_another_is_carried_out<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    append_to_many(&mut conn, 4)?;
    users().catch_up(&mut conn)?;
    projection::repartition(&mut conn, (NAME, 1), 8)?;

    let mut worker = db.connect()?;
    thread::scope(|scope| -> Result {
        let carrying_out = write_transaction(&mut conn, |conn| -> Result<_> {
            projection::repartition(conn, (NAME, 1), 3)?;
            let carrying_out = scope.spawn(move || users().catch_up(&mut worker));
            thread::sleep(Duration::from_millis(200));
            Ok(carrying_out)
        })?;
        carrying_out.join().expect("no panic")?;
        Ok(())
    })?;
    users().catch_up(&mut conn)?;
    assert_eq!(status(&mut conn)?.partitions().len(), 3);
    Ok(())
}

fn a_change_is_part_of_the_applications_transaction<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    users().catch_up(&mut conn)?;
    let rolled_back: Result = diesel::Connection::transaction(&mut conn, |conn| {
        projection::repartition(conn, (NAME, 1), 4)?;
        Err(diesel::result::Error::RollbackTransaction.into())
    });
    assert!(rolled_back.is_err());
    append_to_many(&mut conn, 5)?;
    users().catch_up(&mut conn)?;
    assert_eq!(status(&mut conn)?.partitions().len(), 1);
    Ok(())
}

fn partitions_that_are_apart_meet_before_the_number_changes<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append_to_many(&mut conn, 20)?;
    let script = Script::with([("user-1 1", Fault::Fails)]);
    let users = script.projection().partitions(4).retries(0, Duration::ZERO).batch_size(1);
    let failed = users.catch_up(&mut conn);
    assert!(matches!(failed, Err(ProjectionError::Failed { .. })), "{failed:?}");
    let furthest = status(&mut conn)?.partitions().iter().map(|partition| partition.position()).max();
    assert!(furthest > Some(reached(&mut conn)?), "they are not apart");

    projection::repartition(&mut conn, (NAME, 1), 3)?;
    append_to_many(&mut conn, 20)?;
    assert!(users.catch_up(&mut conn).is_err());
    assert_eq!(status(&mut conn)?.partitions().len(), 4);
    script.mend();
    users.catch_up(&mut conn)?;
    assert_eq!(status(&mut conn)?.partitions().len(), 3);
    assert_complete(&mut conn)
}

#[derive(Debug, Clone)]
struct Round {
    before: Vec<(u8, i64)>,
    after: Vec<(u8, i64)>,
    /// Which of the events before stops the partition that has it.
    fault: usize,
    batch_size: usize,
    partitions: i32,
}

fn round() -> impl Strategy<Value = Round> {
    let appends = || vec((0..12_u8, 1..4_i64), 1..8);
    (appends(), appends(), 0..10_usize, 1..5_usize, 1..8_i32).prop_map(
        |(before, after, fault, batch_size, partitions)| Round {
            before,
            after,
            fault,
            batch_size,
            partitions,
        },
    )
}

/// One round follows the other on the same projection.
fn any_change_at_any_point_neither_skips_nor_repeats<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    users().partitions(3).catch_up(&mut conn)?;
    for_all(&mut conn, 25, &round(), |conn, round| {
        let mut names = Vec::new();
        for (aggregate, events) in &round.before {
            let appended = append(conn, &format!("user-{aggregate}"), *events)?;
            names.extend(appended.events().iter().map(name_of));
        }
        let script = Script::with([(names[round.fault % names.len()].as_str(), Fault::Fails)]);
        let users = script.projection().retries(0, Duration::ZERO).batch_size(round.batch_size);
        assert!(users.catch_up(conn).is_err());

        projection::repartition(conn, (NAME, 1), round.partitions)?;
        for (aggregate, events) in &round.after {
            append(conn, &format!("user-{aggregate}"), *events)?;
        }
        assert!(users.catch_up(conn).is_err());
        script.mend();
        users.catch_up(conn)?;
        assert_eq!(status(conn)?.partitions().len(), usize::try_from(round.partitions)?);
        assert_complete(conn)
    })
}

fn a_runner_changes_it_while_others_append<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let users = users().partitions(2).batch_size(5).lease(Duration::from_secs(4));
    let running = runner(&db).projection(users).start()?;
    let mut conns = [db.connect()?, db.connect()?, db.connect()?];
    let outcomes = at_once(&mut conns, |index, conn| match index {
        0 => change_it_twice(conn),
        _ => (0..40).try_for_each(|round| append(conn, &format!("{index}-{}", round % 7), 2).map(drop)),
    });
    outcomes.into_iter().collect::<Result<()>>()?;
    let events = count(&mut conn, "events")?;
    advances_until("all is applied", || Ok(count(&mut conn, "applied")?), |applied| *applied >= events)?;
    running.stop()?;
    assert_complete(&mut conn)
}

fn change_it_twice<C: EventConnection>(conn: &mut C) -> Result {
    for partitions in [3, 1] {
        projection::repartition(conn, (NAME, 1), partitions)?;
        let partitions = usize::try_from(partitions)?;
        eventually("it is changed", || Ok(status(conn)?.partitions().len() == partitions))?;
    }
    Ok(())
}

/// Although it stands where the others are to meet.
/// An application may skip what it does not want.
fn a_checkpoint_that_was_put_beyond_the_meeting_point_does_not_prevent_the_change<D: TestDatabase>() -> Result
{
    let (_db, mut conn) = application::<D>()?;
    append_to_many(&mut conn, 10)?;
    users().partitions(2).catch_up(&mut conn)?;
    projection::repartition(&mut conn, (NAME, 1), 4)?;
    append_to_many(&mut conn, 10)?;
    let skipped_to = EventStore::new().last_position(&mut conn)?;
    append_to_many(&mut conn, 10)?;
    EventStore::new().rewind_checkpoint(&mut conn, NAME, skipped_to)?;
    assert_eq!(caught_up_soon::<D>(conn)?, (20, 4));
    Ok(())
}

/// It had the checkpoint to itself until then.
fn a_checkpoint_saved_by_an_older_release_does_not_prevent_the_change<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    let store = EventStore::new();
    let first = append(&mut conn, "alice", 2)?.last_position();
    store.save_checkpoint(&mut conn, NAME, first)?;
    projection::repartition(&mut conn, (NAME, 1), 4)?;
    let second = append(&mut conn, "alice", 1)?.last_position();
    store.save_checkpoint(&mut conn, NAME, second)?;
    append(&mut conn, "alice", 3)?;
    assert_eq!(caught_up_soon::<D>(conn)?, (3, 4));
    Ok(())
}

/// How many events were applied, and how many partitions there are then; on a thread that can be left behind.
fn caught_up_soon<D: TestDatabase>(mut conn: D::Conn) -> Result<(u64, usize)> {
    let (told, hears) = mpsc::channel();
    let thread = thread::spawn(move || {
        let applied = users().catch_up(&mut conn).map(|caught_up| caught_up.applied());
        let partitions = status(&mut conn).map(|status| status.partitions().len());
        let _ = told.send((applied, partitions.map_err(|error| error.to_string())));
    });
    let (applied, partitions) = hears.recv_timeout(Duration::from_secs(60))?;
    thread.join().expect("it has ended");
    Ok((applied?, partitions?))
}

fn a_partition_that_has_stopped_delays_the_change_until_it_is_resumed<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 1)?;
    let script = Script::default();
    script.projection().catch_up(&mut conn)?;
    append(&mut conn, "alice", 1)?;
    set(&mut conn, "state = 'failed', last_error = 'by hand'")?;
    projection::repartition(&mut conn, (NAME, 1), 2)?;
    let refused = script.projection().catch_up(&mut conn);
    assert!(matches!(refused, Err(ProjectionError::HasFailed { .. })), "{refused:?}");
    assert_eq!(states(&mut conn)?, [ProjectionState::Failed]);

    projection::resume(&mut conn, (NAME, 1))?;
    assert_eq!(script.projection().catch_up(&mut conn)?.applied(), 1);
    assert_eq!(status(&mut conn)?.partitions().len(), 2);
    assert_complete(&mut conn)
}
