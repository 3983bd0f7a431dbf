//! What cannot be is refused before anything is done, with an error that names it.

use std::time::Duration;

use diesel_event_store::projection::{self, MAX_PARTITIONS, Projection, ProjectionError, ProjectionId};
use diesel_event_store::{
    DatabaseErrorKind, EventConnection, InvalidInput, MAX_NAME_LENGTH, Position, Problem,
};
use test_support::{Result, TestDatabase, count, eventually, execute};

use super::{NAME, application, insert, runner, status, users};

tests! {
    a_projection_that_cannot_be_named,
    a_name_as_long_as_the_limit_is_kept,
    a_version_below_one,
    a_batch_size_out_of_range,
    a_number_of_partitions_out_of_range,
    a_lease_too_short_or_too_long,
    a_filter_that_names_nothing,
    a_runner_without_a_projection,
    a_runner_that_cannot_be_named,
    a_runner_whose_name_leaves_no_room_for_its_id,
    the_same_name_twice_in_a_runner,
    a_projection_that_nobody_has_run,
    tables_that_are_missing,
    one_table_that_is_missing,
}

fn invalid(outcome: Result<impl Sized, ProjectionError>) -> InvalidInput {
    match outcome.err() {
        Some(error @ ProjectionError::Invalid(_)) => {
            assert!(!error.is_retryable());
            let ProjectionError::Invalid(invalid) = error else { unreachable!("it was just looked at") };
            invalid
        }
        other => panic!("{other:?}"),
    }
}

/// That this projection is refused, whoever is to run it, and leaves nothing.
fn refusal<D: TestDatabase>(projection: impl Fn() -> Projection<D::Conn>) -> Result<InvalidInput> {
    let (db, mut conn) = application::<D>()?;
    let refused = invalid(projection().catch_up(&mut conn));
    assert_eq!(invalid(runner(&db).projection(projection()).start()), refused);
    assert_eq!(count(&mut conn, "projection_checkpoints")?, 0);
    Ok(refused)
}

fn is_out_of_range(refused: &InvalidInput, field: &str, value: i64, lowest: i64, highest: i64) {
    assert_eq!(refused.field(), field);
    let found = match refused.problem() {
        Problem::OutOfRange { value, lowest, highest, .. } => (*value, *lowest, *highest),
        other => panic!("{other:?}"),
    };
    assert_eq!(found, (value, lowest, highest));
}

fn a_projection_that_cannot_be_named<D: TestDatabase>() -> Result {
    let empty = refusal::<D>(|| Projection::new("", 1, insert))?;
    assert_eq!((empty.field(), empty.problem()), ("projection_name", &Problem::Empty));
    let too_long = refusal::<D>(|| Projection::new("x".repeat(MAX_NAME_LENGTH + 1), 1, insert))?;
    assert!(matches!(too_long.problem(), Problem::TooLong { .. }));
    let control = refusal::<D>(|| Projection::new("us\ners", 1, insert))?;
    assert!(matches!(control.problem(), Problem::ControlCharacter { .. }));
    Ok(())
}

fn a_name_as_long_as_the_limit_is_kept<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    let longest = "😀".repeat(MAX_NAME_LENGTH);
    Projection::new(longest.as_str(), i32::MAX, insert).catch_up(&mut conn)?;
    let status = projection::status(&mut conn)?;
    assert_eq!(status[0].projection(), &ProjectionId::new(longest, i32::MAX));
    Ok(())
}

fn a_version_below_one<D: TestDatabase>() -> Result {
    for version in [0, -1, i32::MIN] {
        let refused = refusal::<D>(|| Projection::new(NAME, version, insert))?;
        is_out_of_range(&refused, "projection_version", version.into(), 1, i32::MAX.into());
    }
    Ok(())
}

fn a_batch_size_out_of_range<D: TestDatabase>() -> Result {
    for size in [0, 100_001] {
        let refused = refusal::<D>(|| users().batch_size(size))?;
        is_out_of_range(&refused, "batch_size", i64::try_from(size)?, 1, 100_000);
    }
    let refused = refusal::<D>(|| users().batch_size(usize::MAX))?;
    assert_eq!(refused.field(), "batch_size");
    let refused = refusal::<D>(|| users().page_bytes(0))?;
    is_out_of_range(&refused, "page_bytes", 0, 1, i64::MAX);
    Ok(())
}

fn a_number_of_partitions_out_of_range<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    users().catch_up(&mut conn)?;
    for partitions in [0, -1, MAX_PARTITIONS + 1, i32::MAX] {
        let refused = refusal::<D>(|| users().partitions(partitions))?;
        is_out_of_range(&refused, "partitions", partitions.into(), 1, MAX_PARTITIONS.into());
        let refused = invalid(projection::repartition(&mut conn, (NAME, 1), partitions));
        is_out_of_range(&refused, "partitions", partitions.into(), 1, MAX_PARTITIONS.into());
    }
    assert_eq!(count(&mut conn, "projection_checkpoints WHERE barrier_position IS NULL")?, 1);

    projection::repartition(&mut conn, (NAME, 1), MAX_PARTITIONS)?;
    assert_eq!(count(&mut conn, "projection_checkpoints WHERE next_partition_count = 1024")?, 1);
    Ok(())
}

fn a_lease_too_short_or_too_long<D: TestDatabase>() -> Result {
    let day = Duration::from_secs(24 * 60 * 60);
    for lease in [Duration::ZERO, Duration::from_millis(99), day + Duration::from_millis(1), Duration::MAX] {
        let refused = refusal::<D>(|| users().lease(lease))?;
        let millis = i64::try_from(lease.as_millis()).unwrap_or(i64::MAX);
        is_out_of_range(&refused, "lease (in milliseconds)", millis, 100, 86_400_000);
    }
    let (_db, mut conn) = application::<D>()?;
    for lease in [Duration::from_millis(100), day] {
        users().lease(lease).catch_up(&mut conn)?;
    }
    Ok(())
}

fn a_filter_that_names_nothing<D: TestDatabase>() -> Result {
    let none: [&str; 0] = [];
    let refused = refusal::<D>(|| users().event_types(none))?;
    assert_eq!((refused.field(), refused.problem()), ("event_types", &Problem::Empty));
    let refused = refusal::<D>(|| users().aggregate_types(none))?;
    assert_eq!((refused.field(), refused.problem()), ("aggregate_types", &Problem::Empty));
    let refused = refusal::<D>(|| users().event_types(["Created", ""]))?;
    assert_eq!(refused.problem(), &Problem::Empty);
    Ok(())
}

fn a_runner_without_a_projection<D: TestDatabase>() -> Result {
    let (db, _conn) = application::<D>()?;
    let refused = invalid(runner(&db).start());
    assert_eq!((refused.field(), refused.problem()), ("projections", &Problem::Empty));
    Ok(())
}

fn a_runner_that_cannot_be_named<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    for name in ["", "a\0"] {
        let refused = invalid(runner(&db).name(name).projection(users()).start());
        assert_eq!(refused.field(), "name");
    }
    assert_eq!(count(&mut conn, "projection_checkpoints")?, 0);
    Ok(())
}

fn a_runner_whose_name_leaves_no_room_for_its_id<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let refused = invalid(runner(&db).name("😀".repeat(219)).projection(users()).start());
    assert!(matches!(refused.problem(), Problem::TooLong { length: 219, limit: 218, .. }), "{refused}");

    let longest = "😀".repeat(218);
    let running = runner(&db).name(longest.as_str()).projection(users()).start()?;
    eventually("it is run", || Ok(status(&mut conn)?.is_healthy()))?;
    assert!(status(&mut conn)?.partitions()[0].owner().is_some_and(|owner| owner.starts_with(&longest)));
    Ok(running.stop()?)
}

fn the_same_name_twice_in_a_runner<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    for version in [1, 2] {
        let both = runner(&db).projection(users()).projection(Projection::new(NAME, version, insert));
        let refused = invalid(both.start());
        assert_eq!(refused.field(), "projections");
        assert!(matches!(refused.problem(), Problem::Repeated { name, .. } if name == NAME), "{refused}");
    }
    assert_eq!(count(&mut conn, "projection_checkpoints")?, 0);
    Ok(())
}

fn a_projection_that_nobody_has_run<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    users().catch_up(&mut conn)?;
    for (name, version) in [(NAME, 2), ("orders", 1), ("", 0)] {
        let do_nothing = |_: &mut D::Conn| Ok::<_, ProjectionError>(());
        let outcomes = [
            projection::reset(&mut conn, (name, version), do_nothing),
            projection::promote(&mut conn, (name, version), do_nothing),
            projection::resume(&mut conn, (name, version)).map(drop),
            projection::repartition(&mut conn, (name, version), 2),
            projection::parked(&mut conn, (name, version)).map(drop),
            projection::parked_after(&mut conn, (name, version), Position::START, 1).map(drop),
        ];
        for outcome in outcomes {
            let Err(ProjectionError::Unknown { projection, .. }) = outcome else { panic!("{outcome:?}") };
            assert_eq!(projection, ProjectionId::new(name, version));
        }
        let position = Position::new(1)?;
        assert!(!projection::retry_parked(&mut conn, (name, version), position)?);
        assert!(!projection::discard_parked(&mut conn, (name, version), position)?);
    }
    Ok(())
}

fn is_not_migrated(outcome: Result<impl Sized, ProjectionError>) {
    match outcome.err() {
        Some(ProjectionError::Database(error)) => {
            assert_eq!(error.kind(), DatabaseErrorKind::NotMigrated);
            assert!(error.to_string().contains("call `run_pending_migrations`"), "{error}");
        }
        other => panic!("{other:?}"),
    }
}

fn all_say_so<C: EventConnection + 'static>(conn: &mut C) -> Result {
    is_not_migrated(users().catch_up(conn));
    is_not_migrated(projection::status(conn));
    is_not_migrated(projection::parked(conn, (NAME, 1)));
    is_not_migrated(projection::reset(conn, (NAME, 1), |_| Ok::<_, ProjectionError>(())));
    is_not_migrated(projection::promote(conn, (NAME, 1), |_| Ok::<_, ProjectionError>(())));
    is_not_migrated(projection::resume(conn, (NAME, 1)));
    is_not_migrated(projection::repartition(conn, (NAME, 1), 2));
    is_not_migrated(projection::wait_for(conn, (NAME, 1), Position::new(1)?, Duration::from_secs(60)));
    Ok(())
}

fn tables_that_are_missing<D: TestDatabase>() -> Result {
    let db = std::sync::Arc::new(D::create()?);
    let mut conn = db.connect()?;
    all_say_so(&mut conn)?;
    is_not_migrated(projection::retry_parked(&mut conn, (NAME, 1), Position::START));
    is_not_migrated(projection::discard_parked(&mut conn, (NAME, 1), Position::START));
    is_not_migrated(runner(&db).projection(users()).start());
    diesel_event_store::run_pending_migrations(&mut conn)?;
    users().catch_up(&mut conn)?;
    Ok(())
}

fn one_table_that_is_missing<D: TestDatabase>() -> Result {
    let (_db, mut conn) = application::<D>()?;
    execute(&mut conn, "DROP TABLE projection_checkpoints")?;
    all_say_so(&mut conn)
}
