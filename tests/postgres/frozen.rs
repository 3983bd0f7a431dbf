//! What is in the way of freezing a log on PostgreSQL, and is named.

use std::time::Duration;

use diesel_event_store::operate::{FreezeError, freeze, unfreeze};
use diesel_event_store::{EventStore, LogHolder, LogOrdering};
use test_support::witness::{append_one, begin, commit};
use test_support::{LONG, Postgres, Result, TestDatabase, count, execute};

fn in_the_way<T>(outcome: Result<T, FreezeError>) -> Vec<LogHolder> {
    match outcome {
        Err(FreezeError::InTheWay { by, .. }) => by,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("nothing was in the way"),
    }
}

#[test]
fn it_waits_for_a_prepared_transaction() -> Result {
    for ordering in [LogOrdering::Fenced, LogOrdering::Gapless] {
        let db = Postgres::migrated()?;
        let (mut preparing, mut conn) = (db.connect()?, db.connect()?);
        EventStore::new().set_log_ordering(&mut conn, ordering)?;
        begin(&mut preparing)?;
        append_one(&mut preparing, "Prepared")?;
        execute(&mut preparing, &format!("PREPARE TRANSACTION 'order of {}'", db.url()))?;
        drop(preparing);
        let refused = freeze(&mut conn, "a test", Duration::from_millis(300)).unwrap_err();
        assert!(refused.to_string().contains("the prepared transaction order of"), "{refused}");
        let [holder] = &in_the_way(Err::<(), _>(refused))[..] else { panic!("there is one") };
        assert!(holder.process().is_none() && holder.since().is_some(), "{holder:?}");

        if ordering == LogOrdering::Fenced {
            append_one(&mut conn, "Others go on")?;
        }
        execute(&mut conn, &format!("COMMIT PREPARED 'order of {}'", db.url()))?;
        assert!(freeze(&mut conn, "a test", LONG)?);
        assert!(append_one(&mut conn, "Late").is_err());
    }
    Ok(())
}

/// Others wait no longer than a moment for it, and go on.
#[test]
fn it_names_who_hangs_while_others_append() -> Result {
    let db = Postgres::migrated()?;
    let (mut hanging, mut conn, mut other) = (db.connect()?, db.connect()?, db.connect()?);
    execute(&mut hanging, "SET application_name = 'checkout'")?;
    begin(&mut hanging)?;
    append_one(&mut hanging, "Hangs")?;
    let by = in_the_way(freeze(&mut conn, "a test", Duration::from_millis(300)));
    assert_eq!(by.iter().map(LogHolder::name).collect::<Vec<_>>(), [Some("checkout")]);
    append_one(&mut other, "Goes on")?;
    commit(&mut hanging)?;
    assert!(freeze(&mut conn, "a test", LONG)?);
    assert_eq!(count(&mut conn, "events")?, 2);
    Ok(())
}

#[test]
fn a_transaction_that_has_read_is_in_the_way_of_opening() -> Result {
    let db = Postgres::migrated()?;
    let (mut reading, mut conn) = (db.connect()?, db.connect()?);
    execute(&mut reading, "SET application_name = 'backup'")?;
    begin(&mut reading)?;
    assert_eq!(count(&mut reading, "events")?, 0);
    assert!(freeze(&mut conn, "a test", LONG)?, "a reader is not in the way of that");
    let by = in_the_way(unfreeze(&mut conn, Duration::ZERO));
    assert_eq!(by.iter().map(LogHolder::name).collect::<Vec<_>>(), [Some("backup")]);
    assert!(EventStore::new().log_closed(&mut conn)?.is_some());
    commit(&mut reading)?;
    assert!(unfreeze(&mut conn, LONG)?);
    append_one(&mut conn, "Opened")?;
    Ok(())
}

#[test]
fn an_old_snapshot_meets_it() -> Result {
    let db = Postgres::migrated()?;
    let (mut old, mut conn) = (db.connect()?, db.connect()?);
    old.build_transaction().repeatable_read().run(|old| -> Result {
        assert_eq!(count(old, "event_log")?, 1);
        freeze(&mut conn, "a test", LONG)?;
        let refused = append_one(old, "Late").expect_err("the log is frozen");
        assert!(refused.to_string().contains("this event log is frozen"), "{refused}");
        Ok(())
    })?;
    assert_eq!(count(&mut conn, "events")?, 0);
    Ok(())
}

/// Replication tools, and some that restore data, turn other triggers off for their session.
#[test]
fn a_session_that_plays_a_replica_meets_it() -> Result {
    let db = Postgres::migrated()?;
    let mut conn = db.connect()?;
    let mut replica = db.connect()?;
    execute(&mut replica, "SET session_replication_role = replica")?;
    freeze(&mut conn, "a test", LONG)?;
    let refused = append_one(&mut replica, "Late").expect_err("the log is frozen");
    assert!(refused.to_string().contains("this event log is frozen"), "{refused}");
    assert!(unfreeze(&mut conn, LONG)?);
    append_one(&mut replica, "Opened")?;
    assert_eq!(count(&mut conn, "events")?, 1);
    Ok(())
}

#[cfg(feature = "transfer")]
mod moving {
    use std::error::Error;
    use std::thread;

    use diesel::pg::PgConnection;
    use diesel_event_store::RecordedEvent;
    use diesel_event_store::projection::Projection;
    use diesel_event_store::transfer::{Copied, CopyControl, CopyError, CopyOptions, Next, copy_with};
    use test_support::eventually;

    use super::*;

    struct Fails;

    impl CopyControl for Fails {
        fn caught_up(&mut self, _so_far: &Copied) -> Next {
            Next::Switch
        }

        fn move_read_models(&mut self) -> Result<(), Box<dyn Error + Send + Sync>> {
            Err("the disk is full".into())
        }
    }

    /// The source is opened while the copy waits for a worker. Otherwise no worker would have it again.
    #[test]
    fn a_projection_is_not_taken_from_the_workers_of_a_source_that_is_open() -> Result {
        let (db, other) = (Postgres::migrated()?, Postgres::migrated()?);
        let (mut from, mut to, mut conn) = (db.connect()?, other.connect()?, db.connect()?);
        append_one(&mut conn, "First")?;
        let kept = Projection::new("kept", 1, |_: &mut PgConnection, _: &RecordedEvent| Ok(()));
        kept.catch_up(&mut conn)?;
        let mut worker = db.connect()?;
        begin(&mut worker)?;
        execute(&mut worker, "SELECT 1 FROM projection_checkpoints FOR UPDATE")?;
        thread::scope(|scope| -> Result {
            let copying = scope.spawn(move || {
                copy_with(&mut from, &mut to, &CopyOptions::to("elsewhere").keep("kept"), &mut Fails)
            });
            eventually("the copy waits", || {
                let waits = "pg_stat_activity WHERE datname = current_database() \
                             AND wait_event_type = 'Lock' AND query LIKE '%projection_checkpoints%'";
                Ok(count(&mut conn, waits)? > 0)
            })?;
            assert!(unfreeze(&mut conn, LONG)?);
            commit(&mut worker)?;
            let copied = copying.join().expect("it does not panic");
            assert!(matches!(copied, Err(CopyError::SourceOpened)), "{copied:?}");
            Ok(())
        })?;
        append_one(&mut conn, "Second")?;
        assert_eq!(kept.catch_up(&mut conn)?.applied(), 1);
        Ok(())
    }
}

/// Whoever reads its events there would wait as well, behind a copy that waits.
#[cfg(feature = "transfer")]
#[test]
fn a_log_moves_back_when_nobody_reads_it_any_more() -> Result {
    use diesel_event_store::transfer::{CopyError, CopyOptions, copy};

    let (home, there) = (Postgres::migrated()?, Postgres::migrated()?);
    let (mut from, mut to, mut reading) = (home.connect()?, there.connect()?, home.connect()?);
    append_one(&mut from, "Moves")?;
    copy(&mut from, &mut to, &CopyOptions::to("there"), |_| true)?;
    append_one(&mut to, "Has moved")?;

    begin(&mut reading)?;
    assert_eq!(count(&mut reading, "events")?, 1);
    let hasty = copy(&mut to, &mut from, &CopyOptions::to("home").patience(Duration::ZERO), |_| true);
    assert!(matches!(hasty, Err(CopyError::Freeze(FreezeError::InTheWay { .. }))), "{hasty:?}");
    assert_eq!(count(&mut home.connect()?, "events")?, 1);
    append_one(&mut to, "Is in use")?;
    commit(&mut reading)?;
    assert_eq!(copy(&mut to, &mut from, &CopyOptions::to("home"), |_| true)?.events(), 2);
    append_one(&mut from, "Is back")?;
    Ok(())
}
