//! Projections that run behind the log, on threads of their own.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use diesel::Connection;
use diesel::result::Error::RollbackTransaction;
use diesel_event_store::projection::{
    self, Progress, Projection, ProjectionError, ProjectionId, ProjectionState, Runner,
};
use test_support::{
    LONG, Result, TestDatabase, advances_until, at_once, count, eventually, execute, wait_for_projection,
};

use super::{
    Fault, NAME, Script, append, application, applied, insert, reached, runner, states, status, users,
};

tests! {
    what_is_there_already_is_applied_and_what_comes_later,
    a_batch_is_no_larger_than_was_asked_for,
    what_is_appended_in_a_transaction_is_applied_after_its_commit,
    what_is_rolled_back_is_never_applied,
    everything_is_applied_once_while_many_append,
    several_projections_run_side_by_side,
    to_stop_finishes_the_batch_and_gives_the_partitions_back,
    dropping_the_handle_stops_it,
    a_panic_that_drops_the_handle_stops_it,
    it_stops_while_a_retry_is_waited_for,
    its_failures_are_told_once,
    it_goes_on_after_it_was_resumed,
    its_progress_is_told,
    whoever_is_told_may_panic,
    without_a_connection_it_does_not_start,
    with_too_few_connections_it_does_not_start,
    it_waits_until_a_connection_can_be_had,
    a_handler_that_ends_the_transaction_stops_it,
}

fn what_is_there_already_is_applied_and_what_comes_later<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 3)?;
    let running = runner(&db).projection(users().batch_size(2)).start()?;
    assert!(running.is_running());
    eventually("the first are applied", || Ok(applied(&mut conn)?.len() == 3))?;
    let last = append(&mut db.connect()?, "bob", 1)?.last_position();
    wait_for_projection(&mut conn, (NAME, 1), last)?;
    assert_eq!(applied(&mut conn)?, ["alice 1", "alice 2", "alice 3", "bob 1"]);
    Ok(running.stop()?)
}

/// Partitions share what one of them has read, which is more than a batch.
fn a_batch_is_no_larger_than_was_asked_for<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let last = append(&mut conn, "alice", 20)?.last_position();
    let sizes: Arc<Mutex<Vec<usize>>> = Arc::default();
    let seen = Arc::clone(&sizes);
    let users = Projection::in_batches(NAME, 1, move |_: &mut D::Conn, events| {
        seen.lock().expect("nobody panics").push(events.len());
        Ok(())
    });
    let running = runner(&db).projection(users.partitions(3).batch_size(4)).start()?;
    wait_for_projection(&mut conn, (NAME, 1), last)?;
    running.stop()?;
    let sizes = sizes.lock().expect("nobody panics");
    assert_eq!(sizes.iter().sum::<usize>(), 20);
    assert!(sizes.iter().all(|size| (1..=4).contains(size)), "{sizes:?}");
    Ok(())
}

fn what_is_appended_in_a_transaction_is_applied_after_its_commit<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let running = runner(&db).projection(users()).start()?;
    let last = conn.transaction(|conn| -> Result<_> {
        append(conn, "alice", 1)?;
        // While nothing is committed, others may look as often as they like.
        assert!(applied(&mut db.connect()?)?.is_empty());
        Ok(append(conn, "alice", 1)?.last_position())
    })?;
    wait_for_projection(&mut conn, (NAME, 1), last)?;
    assert_eq!(applied(&mut conn)?, ["alice 1", "alice 2"]);
    Ok(running.stop()?)
}

fn what_is_rolled_back_is_never_applied<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let running = runner(&db).projection(users()).start()?;
    for _ in 0..3 {
        let rolled_back: Result = conn.transaction(|conn| {
            append(conn, "bob", 2)?;
            Err(RollbackTransaction.into())
        });
        assert!(rolled_back.is_err());
        let last = append(&mut conn, "alice", 1)?.last_position();
        wait_for_projection(&mut conn, (NAME, 1), last)?;
    }
    assert_eq!(applied(&mut conn)?, ["alice 1", "alice 2", "alice 3"]);
    Ok(running.stop()?)
}

fn everything_is_applied_once_while_many_append<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let running = runner(&db).projection(users().batch_size(7)).start()?;
    let mut conns = [db.connect()?, db.connect()?, db.connect()?];
    let outcomes = at_once(&mut conns, |index, conn| {
        (0..30).try_for_each(|_| append(conn, &format!("user-{index}"), 2).map(drop))
    });
    outcomes.into_iter().collect::<Result<()>>()?;
    advances_until("all is applied", || Ok(count(&mut conn, "applied")?), |applied| *applied >= 180)?;
    running.stop()?;
    assert_eq!(count(&mut conn, "applied")?, 180);
    for index in 0..3 {
        let mine: Vec<_> =
            applied(&mut conn)?.into_iter().filter(|name| name.contains(&format!("-{index} "))).collect();
        assert_eq!(mine, (1..=60).map(|version| format!("user-{index} {version}")).collect::<Vec<_>>());
    }
    Ok(())
}

fn several_projections_run_side_by_side<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 2)?;
    let failing = Script::with([("alice 1", Fault::Fails)]).projection().retries(0, Duration::ZERO);
    let orders = Projection::new("orders", 3, insert);
    let nothing = Projection::new("nothing", 1, insert).event_types(["None"]);
    let running = runner(&db).projection(failing).projection(orders).projection(nothing).start()?;
    let last = append(&mut conn, "alice", 1)?.last_position();
    wait_for_projection(&mut conn, ("orders", 3), last)?;
    wait_for_projection(&mut conn, ("nothing", 1), last)?;
    assert_eq!(applied(&mut conn)?, ["alice 1", "alice 2", "alice 3"]);
    eventually("one has failed, which is no concern of the others", || {
        let failed = projection::status(&mut conn)?;
        Ok(failed.iter().any(|status| status.partitions()[0].state() == ProjectionState::Failed))
    })?;
    let stopped = running.stop();
    assert!(matches!(stopped, Err(ProjectionError::Failed { .. })), "{stopped:?}");
    Ok(())
}

fn to_stop_finishes_the_batch_and_gives_the_partitions_back<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 50)?;
    let (begun, has_begun) = std::sync::mpsc::channel();
    let slow = Projection::in_batches(NAME, 1, move |conn: &mut D::Conn, events| {
        let _ = begun.send(());
        std::thread::sleep(Duration::from_millis(20));
        events.iter().try_for_each(|event| insert(conn, event))
    });
    let running = runner(&db).projection(slow.batch_size(5).partitions(2)).start()?;
    has_begun.recv_timeout(LONG)?;
    running.stop()?;
    // Nobody is at it any more: what is applied is what the checkpoints say, and anybody can go on at once.
    assert_eq!(count(&mut conn, "projection_checkpoints WHERE owner IS NULL")?, 2);
    assert_eq!(count(&mut conn, "projection_workers")?, 0);
    assert!(!applied(&mut conn)?.is_empty());
    users().catch_up(&mut conn)?;
    assert_eq!(applied(&mut conn)?, (1..=50).map(|version| format!("alice {version}")).collect::<Vec<_>>());
    Ok(())
}

fn dropping_the_handle_stops_it<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let last = append(&mut conn, "alice", 1)?.last_position();
    let running = runner(&db).projection(users()).start()?;
    wait_for_projection(&mut conn, (NAME, 1), last)?;
    drop(running);
    assert_eq!(Arc::strong_count(&db), 1, "its threads are gone");
    assert_eq!(status(&mut conn)?.partitions()[0].owner(), None);
    append(&mut conn, "alice", 1)?;
    assert_eq!(users().catch_up(&mut conn)?.applied(), 1);
    Ok(())
}

fn a_panic_that_drops_the_handle_stops_it<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let running = runner(&db).projection(users()).start()?;
    let panicked = catch_unwind(AssertUnwindSafe(move || {
        let _running = running;
        // A panic that nobody has to read about.
        resume_unwind(Box::new("in the application"))
    }));
    assert!(panicked.is_err());
    eventually("its threads are gone", || Ok(Arc::strong_count(&db) == 1))?;
    append(&mut conn, "alice", 1)?;
    assert_eq!(users().catch_up(&mut conn)?.applied(), 1);
    Ok(())
}

fn it_stops_while_a_retry_is_waited_for<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 1)?;
    let script = Script::with([("alice 1", Fault::Fails)]);
    let patient = script.projection().retries(10, Duration::from_secs(3600));
    let running = runner(&db).projection(patient).start()?;
    eventually("it was tried", || Ok(!script.given().is_empty()))?;
    let begin = Instant::now();
    running.stop()?;
    assert!(begin.elapsed() < LONG);
    assert_eq!(status(&mut conn)?.partitions()[0].state(), ProjectionState::Idle);
    assert!(applied(&mut conn)?.is_empty());
    Ok(())
}

fn its_failures_are_told_once<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 1)?;
    let failing = Script::with([("alice 1", Fault::Fails)]).projection().retries(0, Duration::ZERO);
    let running = runner(&db).projection(failing).start()?;
    let mut failures = Vec::new();
    eventually("it has failed", || {
        failures.extend(running.failures());
        Ok(status(&mut conn)?.partitions()[0].state() == ProjectionState::Failed && !failures.is_empty())
    })?;
    assert!(matches!(failures[..], [ProjectionError::Failed { attempts: 1, .. }]), "{failures:?}");
    assert!(running.failures().is_empty() && running.is_running());
    Ok(running.stop()?)
}

/// Although a third of its lease is longer than any test waits.
fn it_goes_on_after_it_was_resumed<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 2)?;
    let script = Script::with([("alice 1", Fault::Fails)]);
    let users = script.projection().retries(0, Duration::ZERO).lease(Duration::from_secs(36_000));
    let running = runner(&db).projection(users).start()?;
    eventually("it has failed", || Ok(states(&mut conn)? == [ProjectionState::Failed]))?;
    script.mend();
    projection::resume(&mut conn, (NAME, 1))?;
    eventually("it goes on", || Ok(applied(&mut conn)? == ["alice 1", "alice 2"]))?;
    running.failures();
    Ok(running.stop()?)
}

fn its_progress_is_told<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 5)?;
    let told: Arc<Mutex<Vec<Progress>>> = Arc::default();
    let progress = Arc::clone(&told);
    let running = runner(&db)
        .projection(users().batch_size(2))
        .on_progress(move |step| progress.lock().expect("nobody panics").push(step.clone()))
        .start()?;
    let last = append(&mut conn, "alice", 1)?.last_position();
    wait_for_projection(&mut conn, (NAME, 1), last)?;
    running.stop()?;
    let told = told.lock().expect("nobody panics");
    let id = ProjectionId::new(NAME, 1);
    assert!(told.iter().all(|step| (step.projection(), step.partition()) == (&id, 0)));
    assert_eq!(told.iter().map(Progress::applied).sum::<u64>(), 6);
    assert!(told.iter().is_sorted_by_key(Progress::position));
    assert_eq!(told.last().map(Progress::position), Some(reached(&mut conn)?));
    Ok(())
}

fn whoever_is_told_may_panic<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    append(&mut conn, "alice", 5)?;
    // A panic that nobody has to read about.
    let panic = |_: &Progress| std::panic::resume_unwind(Box::new("nobody listens"));
    let running = runner(&db).projection(users().batch_size(2)).on_progress(panic).start()?;
    eventually("what is there is applied", || Ok(applied(&mut conn)?.len() == 5))?;
    let last = append(&mut conn, "alice", 1)?.last_position();
    wait_for_projection(&mut conn, (NAME, 1), last)?;
    Ok(running.stop()?)
}

fn without_a_connection_it_does_not_start<D: TestDatabase>() -> Result {
    let (_db, _conn) = application::<D>()?;
    let refused = Runner::new(|| Err::<D::Conn, _>("the cable is cut")).projection(users()).start().err();
    let Some(ProjectionError::Connect(error)) = &refused else { panic!("{refused:?}") };
    assert_eq!(error.to_string(), "the cable is cut");
    Ok(())
}

/// A pool that has as many as are asked for, for one partition and for three, and one less.
fn with_too_few_connections_it_does_not_start<D: TestDatabase>() -> Result {
    for partitions in [1, 3] {
        let (db, mut conn) = application::<D>()?;
        let needed = partitions as usize + 1;
        let start = |size: usize| {
            let (db, connects) = (Arc::clone(&db), AtomicUsize::new(0));
            let connect = move || match connects.fetch_add(1, Ordering::Relaxed) {
                given if given >= size => Err("the pool is exhausted".into()),
                _ => db.connect(),
            };
            Runner::new(connect).projection(users().partitions(partitions)).start()
        };
        let refused = start(needed - 1).err();
        let Some(ProjectionError::TooFewConnections { available, needed: wanted, .. }) = &refused else {
            panic!("{refused:?}")
        };
        assert_eq!((*available, *wanted), (needed - 1, needed));
        assert!(refused.unwrap().to_string().contains("the pool is exhausted"));
        assert_eq!(states(&mut conn)?, vec![ProjectionState::Idle; partitions as usize]);
        drop(start(needed)?);
    }
    Ok(())
}

/// It has started, and from then on no connection can be had for a while.
fn it_waits_until_a_connection_can_be_had<D: TestDatabase>() -> Result {
    let (db, mut conn) = application::<D>()?;
    let last = append(&mut conn, "alice", 1)?.last_position();
    let asked = Arc::new(AtomicUsize::new(0));
    let (cut_at, count) = (OnceLock::new(), Arc::clone(&asked));
    let connect = move || {
        // The first two check, the third manages; those who apply have to wait.
        let is_cut = || cut_at.get_or_init(Instant::now).elapsed() < Duration::from_millis(300);
        if count.fetch_add(1, Ordering::Relaxed) >= 3 && is_cut() {
            return Err("the cable is cut".into());
        }
        db.connect()
    };
    let running = Runner::new(connect).projection(users()).start()?;
    wait_for_projection(&mut conn, (NAME, 1), last)?;
    assert!(asked.load(Ordering::Relaxed) < 50, "it has asked {asked:?} times instead of waiting");
    let failures = running.failures();
    assert!(failures.iter().all(|failure| matches!(failure, ProjectionError::Connect(_))), "{failures:?}");
    assert!(!failures.is_empty());
    Ok(running.stop()?)
}

fn a_handler_that_ends_the_transaction_stops_it<D: TestDatabase>() -> Result {
    for statements in [&["ROLLBACK"][..], &["COMMIT"], &["COMMIT", "BEGIN"]] {
        let (db, mut conn) = application::<D>()?;
        append(&mut conn, "alice", 1)?;
        let ending = Projection::new(NAME, 1, |conn: &mut D::Conn, _event| {
            statements.iter().try_for_each(|sql| execute(conn, sql))?;
            Ok(())
        });
        let running = runner(&db).projection(ending).start()?;
        eventually("it has failed", || Ok(states(&mut conn)? == [ProjectionState::Failed]))?;
        let stopped = running.stop();
        assert!(matches!(stopped, Err(ProjectionError::TransactionEnded { .. })), "{stopped:?}");
    }
    Ok(())
}
