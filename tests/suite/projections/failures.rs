//! What a projection does about an event that its handler cannot apply.

use std::fmt;
use std::time::Duration;

use diesel::Connection;
use diesel::connection::TransactionManager;
use diesel_event_store::projection::{
    self, FailureKind, HandlerError, OnFailure, ParkReason, Projection, ProjectionError, ProjectionId,
    ProjectionState,
};
use diesel_event_store::{
    ConnectionRef, DatabaseErrorKind, EventConnection, EventStore, Position, RecordedEvent, StreamId,
};
use test_support::{Result, TestDatabase, eventually, execute, names, user};

use super::{
    Fault, NAME, Script, append, application, applied, insert, name_of, reached, runner, states, status,
    users,
};

tests! {
    it_stops_before_the_event_unless_it_is_told_otherwise,
    a_runner_marks_the_partition_until_it_is_resumed,
    an_event_is_skipped,
    a_constraint_that_is_checked_at_the_commit_is_a_failure,
    a_failing_handler_is_tried_again_as_often_as_was_asked_for,
    within_a_batch_it_is_tried_no_more_often,
    what_succeeds_when_it_is_tried_again_is_applied_once,
    an_event_that_cannot_be_decoded_has_a_policy_of_its_own,
    an_unknown_event_type_has_a_policy_of_its_own,
    a_batch_that_fails_is_narrowed_down_to_the_one_event,
    of_a_batch_that_fails_what_comes_before_the_event_is_kept,
    a_panic_is_a_failure_and_leaves_the_connection_usable,
    an_error_of_the_database_that_is_worth_another_try_does_not_count,
    another_error_of_the_database_is_a_failure,
    an_error_that_panics_when_it_is_to_be_told_is_a_failure,
    a_handler_that_puts_its_own_projection_back_fails,
    what_a_handler_says_is_told_although_its_connection_is_lost,
}

const SOON: Duration = Duration::from_millis(1);

/// What a projection has stopped at.
#[derive(Debug, PartialEq)]
struct Stopped {
    position: Position,
    stream: StreamId,
    kind: FailureKind,
    attempts: i32,
    error: String,
}

fn stopped(outcome: Result<impl std::fmt::Debug, ProjectionError>) -> Stopped {
    match outcome {
        Err(ProjectionError::Failed { projection, position, stream, kind, attempts, source, .. }) => {
            assert_eq!(projection, ProjectionId::new(NAME, 1));
            Stopped { position, stream, kind, attempts, error: source.to_string() }
        }
        other => panic!("{other:?}"),
    }
}

fn it_stops_before_the_event_unless_it_is_told_otherwise<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    let appended = append(&mut conn, "alice", 5)?;
    let third = appended.events()[2].position();
    let script = Script::with([("alice 3", Fault::Fails)]);
    let users = script.projection().retries(0, SOON).batch_size(2);
    for _ in 0..2 {
        let stopped = stopped(users.catch_up(&mut conn));
        let expected = Stopped {
            position: third,
            stream: user("alice")?,
            kind: FailureKind::Failed,
            attempts: 1,
            error: "alice 3 is too much".to_owned(),
        };
        assert_eq!(stopped, expected);
        assert_eq!(applied(&mut conn)?, ["alice 1", "alice 2"]);
        assert_eq!(reached(&mut conn)?, appended.events()[1].position());
    }
    script.mend();
    assert_eq!(users.catch_up(&mut conn)?.applied(), 3);
    assert_eq!(applied(&mut conn)?, ["alice 1", "alice 2", "alice 3", "alice 4", "alice 5"]);
    Ok(())
}

fn a_runner_marks_the_partition_until_it_is_resumed<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 3)?;
    let script = Script::with([("alice 2", Fault::Fails)]);
    let users = || script.projection().retries(1, SOON);
    let running = runner(&db).projection(users()).start()?;
    eventually("it has failed", || Ok(states(&mut conn)? == [ProjectionState::Failed]))?;
    assert_eq!(applied(&mut conn)?, ["alice 1"]);

    // Nobody takes it up again, also not another.
    script.mend();
    let refused = users().catch_up(&mut conn).unwrap_err();
    let ProjectionError::HasFailed { partition: 0, error, .. } = &refused else { panic!("{refused:?}") };
    assert!(error.contains("alice 2 is too much") && error.contains("2 attempts"), "{error}");
    assert!(refused.to_string().contains("call `resume`"), "{refused}");
    assert!(!refused.is_retryable());
    let failed = status(&mut conn)?;
    assert_eq!(failed.partitions()[0].last_error(), Some(error.as_str()));
    assert_eq!((failed.partitions()[0].owner(), failed.is_healthy()), (None, false));

    assert_eq!(projection::resume(&mut conn, (NAME, 1))?, 1);
    assert_eq!(projection::resume(&mut conn, (NAME, 1))?, 0);
    drop(running);
    users().catch_up(&mut conn)?;
    assert_eq!(applied(&mut conn)?, ["alice 1", "alice 2", "alice 3"]);
    assert_eq!(status(&mut conn)?.partitions()[0].last_error(), None);
    Ok(())
}

fn an_event_is_skipped<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 4)?;
    let script = Script::with([("alice 2", Fault::Fails), ("alice 4", Fault::Fails)]);
    let users = script.projection().retries(0, SOON).on_failure(OnFailure::Skip);
    assert_eq!(users.catch_up(&mut conn)?.applied(), 2);
    assert_eq!(applied(&mut conn)?, ["alice 1", "alice 3"]);
    assert_eq!(status(&mut conn)?.positions_behind(), 0);
    assert!(projection::parked(&mut conn, (NAME, 1))?.is_empty());
    script.mend();
    assert_eq!(users.catch_up(&mut conn)?.applied(), 0);
    Ok(())
}

fn a_failing_handler_is_tried_again_as_often_as_was_asked_for<D: TestDatabase>() -> Result {
    for retries in [0, 1, 3] {
        let (_db, mut conn) = application::<D>()?;
        append(&mut conn, "alice", 1)?;
        let script = Script::with([("alice 1", Fault::Fails)]);
        let users = script.projection().retries(retries, SOON);
        let attempts = stopped(users.catch_up(&mut conn)).attempts;
        assert_eq!(attempts, i32::from(retries) + 1);
        assert_eq!(script.given().len(), usize::from(retries) + 1);
        assert!(applied(&mut conn)?.is_empty());
    }
    Ok(())
}

/// The attempt in the batch is the first. What comes before the event is applied again without it, and what
/// comes after it for the first time.
fn within_a_batch_it_is_tried_no_more_often<D: TestDatabase>() -> Result {
    for fault in [Fault::Fails, Fault::Panics] {
        let (_db, mut conn) = application::<D>()?;
        for (user, events) in [("alice", 2), ("bob", 1), ("carol", 2)] {
            append(&mut conn, user, events)?;
        }
        let script = Script::with([("bob 1", fault)]);
        script.projection().retries(1, SOON).on_failure(OnFailure::Park).catch_up(&mut conn)?;
        let given = ["alice 1", "alice 2", "bob 1", "alice 1", "alice 2", "bob 1", "carol 1", "carol 2"];
        assert_eq!(script.given(), given);
        assert_eq!(applied(&mut conn)?, ["alice 1", "alice 2", "carol 1", "carol 2"]);
    }
    Ok(())
}

fn what_succeeds_when_it_is_tried_again_is_applied_once<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 2)?;
    let script = Script::with([("alice 1", Fault::FailsOnce), ("alice 2", Fault::FailsOnce)]);
    let users = script.projection().retries(1, SOON).batch_size(1);
    assert_eq!(users.catch_up(&mut conn)?.applied(), 2);
    assert_eq!(applied(&mut conn)?, ["alice 1", "alice 2"]);
    assert_eq!(script.given(), ["alice 1", "alice 1", "alice 2", "alice 2"]);
    Ok(())
}

/// That a fault has a policy of its own, and that the handler is not given the event again.
fn has_a_policy_of_its_own<D: TestDatabase>(
    fault: Fault,
    kind: FailureKind,
    with_policy: fn(projection::Projection<D::Conn>, OnFailure) -> projection::Projection<D::Conn>,
) -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 2)?;
    let script = Script::with([("alice 1", fault)]);
    // All others do something else, which would be seen.
    let users = || {
        let (failed, undecodable, unknown) = (OnFailure::Park, OnFailure::Park, OnFailure::Park);
        let users = script.projection().retries(5, SOON).batch_size(1).on_failure(failed);
        users.on_undecodable(undecodable).on_unknown_event_type(unknown)
    };
    let stopped = stopped(with_policy(users(), OnFailure::Stop).catch_up(&mut conn));
    assert_eq!((stopped.kind, stopped.attempts), (kind, 1));
    assert_eq!(script.given(), ["alice 1"]);

    with_policy(users(), OnFailure::Skip).catch_up(&mut conn)?;
    assert_eq!(script.given(), ["alice 1", "alice 2"]);
    assert_eq!(applied(&mut conn)?, ["alice 2"]);
    assert!(projection::parked(&mut conn, (NAME, 1))?.is_empty());
    Ok(())
}

fn an_event_that_cannot_be_decoded_has_a_policy_of_its_own<D: TestDatabase>() -> Result {
    has_a_policy_of_its_own::<D>(Fault::IsUndecodable, FailureKind::Undecodable, |users, policy| {
        users.on_undecodable(policy)
    })
}

fn an_unknown_event_type_has_a_policy_of_its_own<D: TestDatabase>() -> Result {
    has_a_policy_of_its_own::<D>(Fault::IsUnknown, FailureKind::UnknownEventType, |users, policy| {
        users.on_unknown_event_type(policy)
    })
}

fn a_batch_that_fails_is_narrowed_down_to_the_one_event<D: TestDatabase>() -> Result {
    for policy in [OnFailure::Skip, OnFailure::ParkAlone] {
        let (_db, mut conn) = application::<D>()?;
        append(&mut conn, "alice", 5)?;
        let script = Script::with([("alice 3", Fault::Fails)]);
        let users = script.projection_in_batches().retries(1, SOON).on_failure(policy);
        assert_eq!(users.catch_up(&mut conn)?.applied(), 4);
        assert_eq!(applied(&mut conn)?, ["alice 1", "alice 2", "alice 4", "alice 5"]);
        let together = ["alice 1", "alice 2", "alice 3"];
        let one_by_one = ["alice 1", "alice 2", "alice 3", "alice 3", "alice 4", "alice 5"];
        assert_eq!(script.given(), [&together[..], &one_by_one[..]].concat());
    }
    Ok(())
}

fn of_a_batch_that_fails_what_comes_before_the_event_is_kept<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    let appended = append(&mut conn, "alice", 4)?;
    let script = Script::with([("alice 3", Fault::Fails)]);
    let users = script.projection_in_batches().retries(0, SOON);
    assert_eq!(stopped(users.catch_up(&mut conn)).position, appended.events()[2].position());
    assert_eq!(applied(&mut conn)?, ["alice 1", "alice 2"]);
    assert_eq!(reached(&mut conn)?, appended.events()[1].position());
    Ok(())
}

fn a_panic_is_a_failure_and_leaves_the_connection_usable<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 2)?;
    let script = Script::with([("alice 2", Fault::Panics)]);
    let users = script.projection().retries(1, SOON);
    let stopped = stopped(users.catch_up(&mut conn));
    assert_eq!((stopped.kind, stopped.attempts), (FailureKind::Failed, 2));
    assert_eq!(stopped.error, "the handler panicked: alice 2 is far too much");
    assert_eq!(applied(&mut conn)?, ["alice 1"]);

    append(&mut conn, "alice", 1)?;
    script.mend();
    assert_eq!(users.catch_up(&mut conn)?.applied(), 2);
    Ok(())
}

fn an_error_of_the_database_that_is_worth_another_try_does_not_count<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 3)?;
    let script = Script::with([("alice 2", Fault::Deadlocks { times: 3 })]);
    let users = script.projection().retries(0, SOON);
    assert_eq!(users.catch_up(&mut conn)?.applied(), 3);
    assert_eq!(applied(&mut conn)?, ["alice 1", "alice 2", "alice 3"]);
    // The whole batch first, then its halves: what gives way is tried again in ever shorter transactions.
    let given = ["alice 1", "alice 2", "alice 1", "alice 2", "alice 2", "alice 2", "alice 3"];
    assert_eq!(script.given(), given);
    Ok(())
}

fn another_error_of_the_database_is_a_failure<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 1)?;
    let users = projection::Projection::new(NAME, 1, |conn: &mut D::Conn, _event| {
        test_support::execute(conn, "INSERT INTO no_such_table VALUES (1)")?;
        Ok(())
    });
    let stopped = stopped(users.retries(1, SOON).catch_up(&mut conn));
    assert_eq!((stopped.kind, stopped.attempts), (FailureKind::Failed, 2));
    assert!(stopped.error.contains("no_such_table"), "{}", stopped.error);
    assert_usable(&mut conn)
}

fn assert_usable(conn: &mut impl EventConnection) -> Result {
    append(conn, "bob", 1)?;
    Ok(())
}

/// With the event that has broken it, and no other. MySQL checks it at once.
fn a_constraint_that_is_checked_at_the_commit_is_a_failure<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    let deferred = deferred(&mut conn);
    execute(&mut conn, "CREATE TABLE members (name VARCHAR(300) PRIMARY KEY)")?;
    let badges = "CREATE TABLE badges (name VARCHAR(300), FOREIGN KEY (name) REFERENCES members (name)";
    execute(&mut conn, &format!("{badges} {deferred})"))?;
    for name in ["alice", "carol"] {
        execute(&mut conn, &format!("INSERT INTO members VALUES ('{name}')"))?;
    }
    for name in ["alice", "bob", "carol"] {
        append(&mut conn, name, 1)?;
    }
    let badges = Projection::new(NAME, 1, |conn: &mut D::Conn, event| {
        execute(conn, &format!("INSERT INTO badges VALUES ('{}')", event.aggregate_id()))?;
        Ok(())
    });
    let badges = badges.on_failure(OnFailure::Park).retries(1, SOON);
    assert_eq!(badges.catch_up(&mut conn)?.applied(), 2);
    assert_eq!(names(&mut conn, "SELECT name FROM badges ORDER BY name")?, ["alice", "carol"]);
    let parked = projection::parked(&mut conn, (NAME, 1))?;
    assert_eq!(parked.iter().map(|event| event.stream().aggregate_id()).collect::<Vec<_>>(), ["bob"]);
    let error = parked[0].error().to_lowercase();
    assert!(error.contains("foreign key") && parked[0].attempts() == 2, "{parked:?}");
    Ok(())
}

fn deferred(conn: &mut impl EventConnection) -> &'static str {
    match conn.lend() {
        #[cfg(feature = "postgres")]
        ConnectionRef::Postgres(_) => "DEFERRABLE INITIALLY DEFERRED",
        #[cfg(feature = "mysql")]
        ConnectionRef::Mysql(_) => "",
        #[cfg(feature = "sqlite")]
        ConnectionRef::Sqlite(_) => "DEFERRABLE INITIALLY DEFERRED",
        _ => unreachable!("the suite does not know this database"),
    }
}

#[derive(Debug)]
struct Unspeakable;

impl fmt::Display for Unspeakable {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A panic that nobody has to read about.
        std::panic::resume_unwind(Box::new("no words"))
    }
}

impl std::error::Error for Unspeakable {}

fn an_error_that_panics_when_it_is_to_be_told_is_a_failure<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 1)?;
    let unspeakable = || Projection::new(NAME, 1, |_: &mut D::Conn, _| Err(Unspeakable.into()));
    let stopped = stopped(unspeakable().retries(0, SOON).catch_up(&mut conn));
    assert!(stopped.error.contains("no words"), "{stopped:?}");
    projection::resume(&mut conn, (NAME, 1))?;
    let running = runner(&db).projection(unspeakable().retries(0, SOON)).start()?;
    eventually("it has stopped", || Ok(states(&mut conn)? == [ProjectionState::Failed]))?;
    assert!(running.is_running());
    Ok(())
}

fn put_back<C: EventConnection>(conn: &mut C, how: &str) -> Result<(), HandlerError> {
    let nothing = |_: &mut C| Ok::<_, ProjectionError>(());
    match how {
        "rewind" => EventStore::new().rewind_checkpoint(conn, NAME, Position::START)?,
        "reset" => projection::reset(conn, (NAME, 1), nothing)?,
        "repartition" => projection::repartition(conn, (NAME, 1), 4)?,
        _ => _ = EventStore::new().delete_checkpoint(conn, NAME)?,
    }
    Ok(())
}

fn a_handler_that_puts_its_own_projection_back_fails<D: TestDatabase>() -> Result {
    for how in ["rewind", "reset", "repartition", "delete"] {
        let (db, mut conn) = application::<D>()?;
        append(&mut conn, "alice", 1)?;
        users().catch_up(&mut conn)?;
        append(&mut conn, "alice", 2)?;
        append(&mut conn, "bob", 1)?;
        let users = Projection::new(NAME, 1, move |conn: &mut D::Conn, event| {
            if name_of(event) == "alice 2" {
                put_back(conn, how)?;
            }
            insert(conn, event)
        });
        let parking = users.retries(1, SOON).on_failure(OnFailure::Park);
        let running = runner(&db).projection(parking).start()?;
        eventually("the rest is applied", || Ok(applied(&mut conn)? == ["alice 1", "bob 1"]))?;
        let parked = projection::parked(&mut conn, (NAME, 1))?;
        assert_eq!((parked[0].reason(), parked[0].attempts()), (ParkReason::Failed, 2), "{how}");
        assert!(parked[0].error().contains("its own projection"), "{how}: {}", parked[0].error());
        running.stop()?;
    }
    Ok(())
}

/// Loses its connection, and says this.
fn losing<C: Connection + EventConnection + 'static>(
    error: impl Fn() -> HandlerError + Send + Sync + 'static,
) -> Projection<C> {
    let lose = move |conn: &mut C, _: &RecordedEvent| {
        let _: diesel::QueryResult<()> = match conn.lend() {
            #[cfg(feature = "postgres")]
            ConnectionRef::Postgres(_) => execute(conn, "SELECT pg_terminate_backend(pg_backend_pid())"),
            #[cfg(feature = "mysql")]
            ConnectionRef::Mysql(_) => execute(conn, "KILL CONNECTION_ID()"),
            // There is no server that could end it.
            _ => {
                C::TransactionManager::transaction_manager_status_mut(conn).set_in_error();
                Ok(())
            }
        };
        Err(error())
    };
    Projection::new(NAME, 1, lose).lease(Duration::from_millis(100))
}

/// Once the lease of the last call has run out, which could not give it back.
fn catch_up_later<C: EventConnection>(users: &Projection<C>, conn: &mut C) -> Result<ProjectionError> {
    let mut refused = None;
    eventually("the lease has run out", || {
        refused = users.catch_up(conn).err();
        Ok(!matches!(refused, Some(ProjectionError::Owned { .. })))
    })?;
    Ok(refused.ok_or("it fails")?)
}

fn what_a_handler_says_is_told_although_its_connection_is_lost<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 1)?;
    let counts = losing(|| HandlerError::failed("no such customer")).on_failure(OnFailure::Park);
    for _ in 0..2 {
        let refused = catch_up_later(&counts, &mut db.connect()?)?;
        assert!(!refused.is_retryable());
        assert_eq!(stopped(Err::<(), _>(refused)).error, "no such customer");
    }
    let busy = || losing(|| HandlerError::retry("busy"));
    let refused = catch_up_later(&busy(), &mut db.connect()?)?;
    let ProjectionError::ConnectionLost { failure, .. } = &refused else { panic!("{refused:?}") };
    assert!(failure == "busy" && refused.is_retryable());
    assert_eq!(DatabaseErrorKind::behind(&refused), Some(DatabaseErrorKind::ConnectionLost));

    let running = runner(&db).projection(busy()).start()?;
    eventually("its status says so, too", || {
        let status = status(&mut conn)?;
        Ok(status.partitions()[0].last_error().is_some_and(|error| error.contains("busy")))
    })?;
    eventually("it is told", || {
        let is_it = |failure: &ProjectionError| matches!(failure, ProjectionError::ConnectionLost { .. });
        Ok(running.failures().iter().any(is_it))
    })
}
