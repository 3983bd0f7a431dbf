//! What has to agree with the events, after somebody has changed it by hand.

use diesel::Connection;
use diesel::result::Error::RollbackTransaction;
use diesel_event_store::{
    AppendError, DatabaseErrorKind, EventStore, ExpectedVersion, Position, run_pending_migrations,
};
use test_support::{Result, TestDatabase, count, counted, execute, user};

tests! {
    what_is_well_is_left_alone,
    heads_are_set_from_the_events,
    a_head_without_events_stays,
    an_append_that_meets_a_wrong_head_says_so,
    it_is_part_of_the_applications_transaction,
    a_log_whose_row_was_lost_says_so_and_is_repaired,
}

const STORE: EventStore = EventStore::new();

/// Three streams of three events, of which one has no head and one is behind.
fn with_wrong_heads<D: TestDatabase>() -> Result<(D, D::Conn)> {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    for name in ["well", "missing", "behind"] {
        STORE.append(&mut conn, &user(name)?, ExpectedVersion::NoStream, &counted(3)?)?;
    }
    execute(&mut conn, "DELETE FROM aggregate_heads WHERE aggregate_id = 'missing'")?;
    execute(&mut conn, "UPDATE aggregate_heads SET aggregate_version = 2 WHERE aggregate_id = 'behind'")?;
    Ok((db, conn))
}

fn what_is_well_is_left_alone<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    assert!(STORE.repair(&mut conn)?.is_nothing(), "without events");
    STORE.append(&mut conn, &user("alice")?, ExpectedVersion::NoStream, &counted(3)?)?;
    STORE.publish_position(&mut conn)?;
    let repaired = STORE.repair(&mut conn)?;
    assert!(repaired.is_nothing(), "{repaired:?}");
    assert_eq!((repaired.counted(), repaired.published(), repaired.heads()), (None, None, 0));
    let appended = STORE.append(&mut conn, &user("alice")?, ExpectedVersion::Exact(3), &counted(1)?)?;
    assert_eq!(appended.version(), 4);
    assert_eq!(STORE.read_forward(&mut conn, Position::START, 10)?.len(), 4);
    Ok(())
}

fn heads_are_set_from_the_events<D: TestDatabase>() -> Result {
    let (_db, mut conn) = with_wrong_heads::<D>()?;
    execute(&mut conn, "UPDATE aggregate_heads SET aggregate_version = 9 WHERE aggregate_id = 'well'")?;
    assert_eq!(STORE.repair(&mut conn)?.heads(), 3);
    for name in ["well", "missing", "behind"] {
        assert_eq!(STORE.version(&mut conn, &user(name)?)?, 3, "{name}");
        STORE.append(&mut conn, &user(name)?, ExpectedVersion::Exact(3), &counted(2)?)?;
    }
    assert!(STORE.repair(&mut conn)?.is_nothing());
    assert!(run_pending_migrations(&mut conn)?.is_empty());
    Ok(())
}

/// Its events were archived, say.
fn a_head_without_events_stays<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    execute(
        &mut conn,
        "INSERT INTO aggregate_heads (aggregate_type, aggregate_id, aggregate_version, updated_at) \
         VALUES ('User', 'archived', 25, '2026-01-01 00:00:00')",
    )?;
    assert!(STORE.repair(&mut conn)?.is_nothing());
    let refused = STORE.append(&mut conn, &user("archived")?, ExpectedVersion::NoStream, &counted(1)?);
    assert_eq!(refused.unwrap_err().conflict().map(|conflict| conflict.actual), Some(25));
    let appended = STORE.append(&mut conn, &user("archived")?, ExpectedVersion::Exact(25), &counted(1)?)?;
    assert_eq!(appended.version(), 26);
    Ok(())
}

fn an_append_that_meets_a_wrong_head_says_so<D: TestDatabase>() -> Result {
    let (_db, mut conn) = with_wrong_heads::<D>()?;
    for (name, expected) in [
        ("missing", ExpectedVersion::Any),
        ("missing", ExpectedVersion::NoStream),
        ("missing", ExpectedVersion::StreamExists),
        ("missing", ExpectedVersion::Exact(3)),
        ("behind", ExpectedVersion::Any),
        ("behind", ExpectedVersion::StreamExists),
        ("behind", ExpectedVersion::Exact(2)),
        ("behind", ExpectedVersion::Exact(3)),
    ] {
        let refused = STORE.append(&mut conn, &user(name)?, expected, &counted(1)?);
        match refused {
            Err(AppendError::Database(error)) => {
                assert_eq!(error.kind(), DatabaseErrorKind::NeedsRepair, "{name}, {expected:?}: {error}");
                assert!(!error.is_retryable());
                let text = error.to_string();
                assert!(text.contains("aggregate_heads") && text.contains("EventStore::repair"), "{text}");
            }
            other => panic!("{name}, {expected:?}: {other:?}"),
        }
    }
    assert_eq!(count(&mut conn, "events")?, 9, "nothing was written");
    // The others are no concern of it.
    STORE.append(&mut conn, &user("well")?, ExpectedVersion::Exact(3), &counted(1)?)?;
    Ok(())
}

fn it_is_part_of_the_applications_transaction<D: TestDatabase>() -> Result {
    let (db, mut conn) = with_wrong_heads::<D>()?;
    let rolled_back: Result = conn.transaction(|conn| {
        assert_eq!(STORE.repair(conn)?.heads(), 2);
        assert_eq!(STORE.version(conn, &user("missing")?)?, 3);
        Err(RollbackTransaction.into())
    });
    assert!(rolled_back.is_err());
    assert_eq!(STORE.version(&mut conn, &user("missing")?)?, 0);
    conn.transaction(|conn| STORE.repair(conn).map(drop))?;
    assert_eq!(STORE.version(&mut db.connect()?, &user("missing")?)?, 3);
    Ok(())
}

/// Without it nothing says which log it is, or whether it is closed.
fn a_log_whose_row_was_lost_says_so_and_is_repaired<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    STORE.append(&mut conn, &user("alice")?, ExpectedVersion::NoStream, &counted(3)?)?;
    execute(&mut conn, "DELETE FROM event_log")?;
    let refused = STORE.log_id(&mut conn).unwrap_err();
    assert_eq!(refused.kind(), DatabaseErrorKind::NeedsRepair, "{refused}");
    assert!(!STORE.repair(&mut conn)?.is_nothing());
    STORE.log_id(&mut conn)?;
    assert!(STORE.repair(&mut conn)?.is_nothing());
    assert_eq!(STORE.read_forward(&mut conn, Position::START, 10)?.len(), 3);
    STORE.append(&mut conn, &user("alice")?, ExpectedVersion::Exact(3), &counted(1)?)?;
    assert_eq!(STORE.read_forward(&mut conn, Position::START, 10)?.len(), 4);
    Ok(())
}
