//! Events that were imported, restored or removed by hand: what has to agree with them is noticed, and set.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::mysql::MysqlConnection;
use diesel_event_store::{
    AppendError, DatabaseErrorKind, ExpectedVersion, LogOrdering, NewEvent, Position, StreamId, operate,
};
use test_support::{Result, counted, execute, user};

use super::database::{Database, STORE, append, begin, commit, kind_of, log, rollback, text};

/// Rows as an import writes them, with positions and without heads.
fn import(conn: &mut MysqlConnection, positions: std::ops::RangeInclusive<i64>) -> Result {
    for (position, version) in positions.zip(1..) {
        execute(
            conn,
            &format!(
                "INSERT INTO events (global_position, aggregate_type, aggregate_id, aggregate_version, event_id, \
                 event_type, event_version, payload, created_at) VALUES ({position}, 'User', 'old', {version}, \
                 UUID(), 'Imported', 1, '{{}}', '2026-01-01')"
            ),
        )?;
    }
    Ok(())
}

#[test]
fn appends_to_a_stream_without_its_head_are_refused_until_the_repair() -> Result {
    for ordering in [LogOrdering::Fenced, LogOrdering::Gapless] {
        let db = Database::migrated()?;
        let mut conn = db.connect()?;
        STORE.set_log_ordering(&mut conn, ordering)?;
        import(&mut conn, 7..=9)?;
        if ordering == LogOrdering::Gapless {
            STORE.set_log_ordering(&mut conn, ordering)?; // goes on from the last
        }
        use ExpectedVersion::{Any, Exact, NoStream, StreamExists};
        for expected in [Any, NoStream, StreamExists, Exact(3), Exact(2)] {
            let refused = STORE.append(&mut conn, &user("old")?, expected, &counted(1)?).unwrap_err();
            assert_eq!(kind_of(refused), DatabaseErrorKind::NeedsRepair, "{expected:?}");
        }
        assert_eq!(STORE.repair(&mut conn)?.heads(), 1);
        let appended = STORE.append(&mut conn, &user("old")?, Exact(3), &counted(1)?)?;
        assert_eq!(appended.version(), 4);
        assert!(appended.last_position().get() > 9);
        assert_eq!(log(&mut conn)?, ["old"; 4]);
        assert!(STORE.repair(&mut conn)?.is_nothing());
    }
    Ok(())
}

#[test]
fn counted_positions_go_on_behind_imported_events_after_the_repair() -> Result {
    let db = Database::migrated()?;
    let mut conn = db.connect()?;
    STORE.set_log_ordering(&mut conn, LogOrdering::Gapless)?;
    import(&mut conn, 1..=5)?;
    let refused = append(&mut conn, "new").expect_err("position 1 is taken");
    assert_eq!(kind_of(refused), DatabaseErrorKind::NeedsRepair);
    let repaired = STORE.repair(&mut conn)?;
    assert_eq!((repaired.counted(), repaired.heads()), (Some(Position::new(5)?), 1));
    assert_eq!(append(&mut conn, "new")?.last_position(), Position::new(6)?);
    Ok(())
}

/// An older state of the table was restored, and readers have been further.
#[test]
fn an_append_behind_readers_is_refused_until_the_repair() -> Result {
    let db = Database::migrated()?;
    let mut conn = db.connect()?;
    append(&mut conn, "first")?;
    conn.batch_execute("UPDATE event_log SET safe_position = 100")?;
    let refused = append(&mut conn, "missed").expect_err("readers would not see it");
    assert!(refused.to_string().contains("repair"), "{refused}");
    assert_eq!(kind_of(refused), DatabaseErrorKind::NeedsRepair);
    assert_eq!(STORE.repair(&mut conn)?.counted(), Some(Position::new(100)?));
    let seen = append(&mut conn, "seen")?.last_position();
    assert!(seen.get() > 100);
    assert_eq!(STORE.read_forward(&mut conn, Position::new(100)?, 10)?.len(), 1);
    assert!(STORE.repair(&mut conn)?.is_nothing());
    Ok(())
}

/// As with a dump of an older day, over a log that has gone on.
#[test]
fn positions_go_on_where_they_were_after_the_last_events_were_removed() -> Result {
    let db = Database::migrated()?;
    let mut conn = db.connect()?;
    for name in ["1", "2", "3"] {
        append(&mut conn, name)?;
    }
    STORE.publish_position(&mut conn)?;
    conn.batch_execute(
        "DROP TRIGGER events_refuse_delete; DELETE FROM events WHERE global_position > 1; \
         ALTER TABLE events AUTO_INCREMENT = 1",
    )?;
    conn.batch_execute("DELETE FROM aggregate_heads WHERE aggregate_id <> '1'")?;
    let refused = append(&mut conn, "2").expect_err("readers would not see it");
    assert_eq!(kind_of(refused), DatabaseErrorKind::NeedsRepair);
    assert_eq!(STORE.repair(&mut conn)?.counted(), Some(Position::new(3)?));
    assert!(append(&mut conn, "2")?.last_position().get() > 3);
    Ok(())
}

const LOST: [&str; 4] = [
    "DELETE FROM event_fence WHERE slot = 0",
    "DELETE FROM event_fence WHERE slot = 1",
    "DELETE FROM event_fence",
    "DELETE FROM event_fence; DELETE FROM event_log",
];

/// As after a restore that left the table out, or a truncation.
#[test]
fn a_fence_that_has_lost_rows_says_so_and_is_repaired() -> Result {
    for ordering in [LogOrdering::Fenced, LogOrdering::Gapless] {
        for lost in LOST {
            let db = Database::migrated()?;
            let mut conn = db.connect()?;
            STORE.set_log_ordering(&mut conn, ordering)?;
            append(&mut conn, "before")?;
            execute(&mut conn, lost)?;
            // With the slot that it locks it goes through, and no reader passes it.
            let meanwhile = append(&mut conn, "meanwhile").is_ok();
            for refused in [
                STORE.last_position(&mut conn).map(drop).unwrap_err(),
                STORE.read_forward(&mut conn, Position::START, 10).map(drop).unwrap_err(),
            ] {
                let table = if lost.contains("event_log") { "event_log has" } else { "event_fence has" };
                assert!(refused.to_string().contains(table), "{lost}: {refused}");
                assert_eq!(kind_of(refused), DatabaseErrorKind::NeedsRepair, "{lost}");
            }
            operate::verify(&mut conn).expect_err("it cannot be read");
            assert!(!STORE.repair(&mut conn)?.is_nothing(), "{lost}");
            assert!(STORE.repair(&mut conn)?.is_nothing(), "{lost}");
            append(&mut conn, "after")?;
            let names = if meanwhile { &["before", "meanwhile", "after"][..] } else { &["before", "after"] };
            assert_eq!(log(&mut conn)?, names, "{lost}");
            assert_eq!(text(&mut conn, "(SELECT MIN(server_id = @@server_id) FROM event_fence)")?, "1");
            // Without any row that tells, it is that of a new database.
            let kept = if lost.contains("event_log") { LogOrdering::Fenced } else { ordering };
            assert_eq!(STORE.log_ordering(&mut conn)?, kept, "{lost}");
        }
    }
    Ok(())
}

#[test]
fn an_ordering_that_cannot_be_set_is_refused() -> Result {
    let db = Database::migrated()?;
    let mut conn = db.connect()?;
    execute(&mut conn, "DELETE FROM event_fence")?;
    let refused = STORE.set_log_ordering(&mut conn, LogOrdering::Gapless).expect_err("it has no row");
    assert_eq!(kind_of(refused), DatabaseErrorKind::NeedsRepair);
    assert_eq!(kind_of(STORE.log_ordering(&mut conn).unwrap_err()), DatabaseErrorKind::NeedsRepair);
    Ok(())
}

#[test]
fn a_closed_log_stays_closed_when_its_fence_is_repaired() -> Result {
    for lost in ["DELETE FROM event_fence", "DELETE FROM event_fence; DELETE FROM event_log"] {
        let db = Database::migrated()?;
        let mut conn = db.connect()?;
        append(&mut conn, "before")?;
        operate::freeze(&mut conn, "it moves", Duration::from_secs(10))?;
        execute(&mut conn, lost)?;
        STORE.repair(&mut conn)?;
        let refused = append(&mut conn, "refused").expect_err("it is closed");
        assert!(matches!(refused, AppendError::LogClosed(_)), "{lost}: {refused}");
        assert!(STORE.log_closed(&mut conn)?.is_some());
    }
    Ok(())
}

/// As a dump may leave it out.
#[test]
fn positions_that_are_not_counted_any_more_are_counted_again() -> Result {
    let db = Database::migrated()?;
    let mut conn = db.connect()?;
    append(&mut conn, "before")?;
    execute(&mut conn, "ALTER TABLE events MODIFY global_position BIGINT NOT NULL")?;
    for events in [1, 3] {
        let refused = STORE.append(&mut conn, &user("alice")?, ExpectedVersion::Any, &counted(events)?);
        assert_eq!(kind_of(refused.expect_err("there is no position")), DatabaseErrorKind::NeedsRepair);
    }
    begin(&mut conn)?;
    let refused = STORE.repair(&mut conn).expect_err("it would commit");
    assert!(refused.to_string().contains("AUTO_INCREMENT"), "{refused}");
    assert_eq!(kind_of(refused), DatabaseErrorKind::NeedsRepair);
    rollback(&mut conn)?;

    assert_eq!(STORE.repair(&mut conn)?.counted(), Some(Position::new(1)?));
    append(&mut conn, "after")?;
    assert_eq!(log(&mut conn)?, ["before", "after"]);
    assert!(STORE.repair(&mut conn)?.is_nothing());
    Ok(())
}

/// To find the next position, it inserts an event and takes it back.
#[test]
fn no_stream_is_in_the_way_of_a_repair() -> Result {
    let db = Database::migrated()?;
    let mut conn = db.connect()?;
    let named_like_nothing = StreamId::new("-", "-")?;
    STORE.append(&mut conn, &named_like_nothing, ExpectedVersion::Any, &[NewEvent::new("-", &())?])?;
    execute(&mut conn, "UPDATE event_log SET safe_position = 100")?;
    assert_eq!(STORE.repair(&mut conn)?.counted(), Some(Position::new(100)?));
    assert!(append(&mut conn, "event")?.last_position().get() > 100);
    Ok(())
}

/// The snapshot of the transaction is older than the events.
#[test]
fn a_repair_sees_what_is_committed_now() -> Result {
    for isolation_level in ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"] {
        let db = Database::migrated()?;
        let (mut other, mut conn) = (db.connect()?, db.connect_in(isolation_level)?);
        begin(&mut conn)?;
        assert_eq!(STORE.version(&mut conn, &user("new")?)?, 0);
        import(&mut other, 7..=9)?;
        execute(&mut other, "UPDATE event_log SET safe_position = 100")?;
        let repaired = STORE.repair(&mut conn)?;
        assert_eq!(
            (repaired.heads(), repaired.counted()),
            (1, Some(Position::new(100)?)),
            "{isolation_level}"
        );
        commit(&mut conn)?;
        assert_eq!(STORE.version(&mut other, &user("old")?)?, 3);
        assert!(STORE.repair(&mut other)?.is_nothing());
    }
    Ok(())
}
