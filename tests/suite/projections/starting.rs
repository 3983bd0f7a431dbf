//! Where a projection starts that was never run before.

use std::collections::BTreeSet;

use diesel::Connection;
#[cfg(feature = "sqlite")]
use diesel_event_store::ConnectionRef;
use diesel_event_store::chrono::{DateTime, TimeDelta, Utc};
use diesel_event_store::projection::{Projection, ProjectionError, StartFrom, status};
use diesel_event_store::{EventConnection, EventStore, ExpectedVersion, NewEvent, Position, Problem};
use test_support::{Result, TestDatabase, at_once, counted, user, wait_for_projection};

use super::{NAME, append, application, applied, insert, runner, users};

tests! {
    from_now_only_what_comes_later_is_applied,
    from_now_misses_nothing_that_is_not_committed_yet,
    from_now_holds_for_a_runner_too,
    from_a_position_what_lies_after_it_is_applied,
    a_position_beyond_the_log_is_refused,
    from_a_time_everything_after_the_first_event_of_then_is_applied,
    from_a_time_that_is_to_come_is_from_now,
    a_time_that_cannot_be_stored_is_refused,
    what_has_a_checkpoint_goes_on_from_there,
    a_checkpoint_that_was_saved_by_hand_is_where_all_partitions_start,
    two_that_start_at_once_agree,
}

/// For any version and any number of partitions.
const KINDS: [(i32, i32); 4] = [(1, 1), (1, 4), (2, 1), (3, 7)];

fn projection<C: EventConnection + 'static>((version, partitions): (i32, i32)) -> Projection<C> {
    Projection::new(NAME, version, insert).partitions(partitions)
}

fn append_for_all<C: EventConnection>(conn: &mut C, users: i64) -> Result<Position> {
    let mut last = Position::START;
    for number in 0..users {
        last = append(conn, &format!("user-{number}"), 1)?.last_position();
    }
    Ok(last)
}

fn from_now_only_what_comes_later_is_applied<D: TestDatabase>() -> Result {
    for kind in KINDS {
        let (_db, mut conn) = application::<D>()?;
        append_for_all(&mut conn, 20)?;
        let users = projection(kind).start_from(StartFrom::Now);
        assert_eq!(users.catch_up(&mut conn)?.applied(), 0);
        append(&mut conn, "new", 2)?;
        assert_eq!(users.catch_up(&mut conn)?.applied(), 2);
        assert_eq!(applied(&mut conn)?, ["new 1", "new 2"]);
        let status = &status(&mut conn)?[0];
        assert_eq!(
            (status.projection().version(), status.partitions().len()),
            (kind.0, usize::try_from(kind.1)?)
        );
    }
    Ok(())
}

/// What an open transaction has appended lies above the end of the log, also where later positions are
/// committed. On SQLite there is no such transaction: nobody else can create a checkpoint while it is open.
fn from_now_misses_nothing_that_is_not_committed_yet<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    #[cfg(feature = "sqlite")]
    if let ConnectionRef::Sqlite(_) = conn.lend() {
        return Ok(());
    }
    append(&mut conn, "old", 1)?;
    EventStore::new().last_position(&mut conn)?; // Now it is published, on MySQL.
    let mut other = db.connect()?;
    let users = projection((1, 3)).start_from(StartFrom::Now);
    other.transaction(|other| {
        append(other, "slow", 1)?;
        assert_eq!(users.catch_up(&mut conn)?.applied(), 0);
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
    })?;
    append(&mut conn, "new", 1)?;
    assert_eq!(users.catch_up(&mut conn)?.applied(), 2);
    let found: BTreeSet<_> = applied(&mut conn)?.into_iter().collect();
    assert_eq!(found, BTreeSet::from(["new 1".to_owned(), "slow 1".to_owned()]));
    Ok(())
}

fn from_now_holds_for_a_runner_too<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    append_for_all(&mut conn, 20)?;
    let running = runner(&db).projection(projection((2, 3)).start_from(StartFrom::Now)).start()?;
    let last = append(&mut conn, "new", 2)?.last_position();
    wait_for_projection(&mut conn, (NAME, 2), last)?;
    assert_eq!(applied(&mut conn)?, ["new 1", "new 2"]);
    Ok(running.stop()?)
}

fn from_a_position_what_lies_after_it_is_applied<D: TestDatabase>() -> Result {
    for kind in KINDS {
        let (_db, mut conn) = application::<D>()?;
        append(&mut conn, "alice", 3)?;
        let position = append(&mut conn, "bob", 1)?.last_position();
        append(&mut conn, "alice", 2)?;
        let users = projection(kind).start_from(StartFrom::Position(position));
        assert_eq!(users.catch_up(&mut conn)?.applied(), 2);
        assert_eq!(applied(&mut conn)?, ["alice 4", "alice 5"]);
    }
    Ok(())
}

fn a_position_beyond_the_log_is_refused<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let last = append(&mut conn, "alice", 3)?.last_position();
    let beyond = || users().start_from(StartFrom::Position(Position::END));
    let refusals =
        [beyond().catch_up(&mut conn).map(drop), runner(&db).projection(beyond()).start().map(drop)];
    for refused in refusals {
        let Err(ProjectionError::Invalid(refused)) = refused else { panic!("{refused:?}") };
        assert_eq!(refused.field(), "start_from");
        let Problem::OutOfRange { value: i64::MAX, lowest: 0, highest, .. } = *refused.problem() else {
            panic!("{refused}")
        };
        assert_eq!(highest, last.get());
    }
    assert!(status(&mut conn)?.is_empty());
    assert_eq!(users().start_from(StartFrom::Position(last)).catch_up(&mut conn)?.applied(), 0);
    Ok(())
}

/// Events with these times, in this order.
fn append_at<C: EventConnection>(conn: &mut C, times: &[DateTime<Utc>]) -> Result {
    let events: Vec<_> = counted(i64::try_from(times.len())?)?
        .into_iter()
        .zip(times)
        .map(|(event, time)| NewEvent::created_at(event, *time))
        .collect();
    EventStore::new().append(conn, &user("alice")?, ExpectedVersion::Any, &events)?;
    Ok(())
}

fn noon() -> Result<DateTime<Utc>> {
    Ok("2020-06-01T12:00:00.000005Z".parse()?)
}

fn from_a_time_everything_after_the_first_event_of_then_is_applied<D: TestDatabase>() -> Result {
    for kind in KINDS {
        let (_db, mut conn) = application::<D>()?;
        let (noon, micro) = (noon()?, TimeDelta::microseconds(1));
        // The application gives times, and the fourth event is older than the one before it.
        append_at(&mut conn, &[noon - micro * 2, noon - micro, noon, noon - micro * 3, noon + micro])?;
        let users = projection(kind).start_from(StartFrom::Time(noon));
        assert_eq!(users.catch_up(&mut conn)?.applied(), 3);
        assert_eq!(applied(&mut conn)?, ["alice 3", "alice 4", "alice 5"]);
    }
    Ok(())
}

fn from_a_time_that_is_to_come_is_from_now<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 2)?;
    let users = projection((1, 2)).start_from(StartFrom::Time(Utc::now() + TimeDelta::days(1)));
    assert_eq!(users.catch_up(&mut conn)?.applied(), 0);
    append(&mut conn, "alice", 1)?;
    assert_eq!(users.catch_up(&mut conn)?.applied(), 1);
    Ok(())
}

fn a_time_that_cannot_be_stored_is_refused<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    for time in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
        let refused = users().start_from(StartFrom::Time(time)).catch_up(&mut conn);
        let Err(ProjectionError::Invalid(refused)) = refused else { panic!("{refused:?}") };
        assert_eq!(refused.field(), "start_from");
        assert!(matches!(refused.problem(), Problem::TimeOutOfRange { .. }), "{refused}");
    }
    Ok(())
}

fn what_has_a_checkpoint_goes_on_from_there<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 1)?;
    users().catch_up(&mut conn)?;
    append(&mut conn, "alice", 2)?;
    assert_eq!(users().start_from(StartFrom::Now).catch_up(&mut conn)?.applied(), 2);
    Ok(())
}

fn a_checkpoint_that_was_saved_by_hand_is_where_all_partitions_start<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    let last = append_for_all(&mut conn, 20)?;
    EventStore::new().save_checkpoint(&mut conn, NAME, last)?;
    let users = projection((1, 4));
    assert_eq!(users.catch_up(&mut conn)?.applied(), 0);
    append_for_all(&mut conn, 20)?;
    assert_eq!(users.catch_up(&mut conn)?.applied(), 20);
    assert_eq!(status(&mut conn)?[0].partitions().len(), 4);
    Ok(())
}

/// Each finds another end of the log, and what is appended meanwhile is applied from the same one on by all.
fn two_that_start_at_once_agree<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    append_for_all(&mut conn, 5)?;
    let mut conns = [db.connect()?, db.connect()?, db.connect()?, db.connect()?];
    let outcomes = at_once(&mut conns, |_, conn| -> Result {
        append(conn, "new", 1)?;
        // What another has leased at this moment is left to it.
        match projection((1, 4)).start_from(StartFrom::Now).catch_up(conn) {
            Ok(_) | Err(ProjectionError::Owned { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    });
    outcomes.into_iter().collect::<Result<Vec<_>>>()?;
    append(&mut conn, "new", 1)?;
    projection((1, 4)).catch_up(&mut conn)?;
    let status = &status(&mut conn)?[0];
    assert_eq!(status.partitions().len(), 4);
    assert_eq!(status.positions_behind(), 0);
    let rows = applied(&mut conn)?;
    assert!(rows.iter().all(|name| name.starts_with("new ")), "{rows:?}");
    // Without a gap up to the last: they have not started at different positions.
    let first = 6 - rows.len();
    let expected: Vec<_> = (first..6).map(|version| format!("new {version}")).collect();
    assert_eq!(rows, expected);
    Ok(())
}
