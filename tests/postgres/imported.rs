//! Events that were put into the table with their positions, past the sequence.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_event_store::{
    AppendError, DatabaseErrorKind, Error, EventStore, ExpectedVersion, LogOrdering, NewEvent, Position,
    StreamId,
};
use test_support::witness::{Tail, append_one, begin, commit, kind};
use test_support::{self, Postgres, TestDatabase};

const STORE: EventStore = EventStore::new();

/// With their heads, each in a stream of its own.
fn import(conn: &mut PgConnection, positions: &[i64]) -> test_support::Result {
    import_without_heads(conn, positions)?;
    conn.batch_execute(
        "INSERT INTO aggregate_heads SELECT tenant_id, aggregate_type, aggregate_id, 1, now() FROM events \
         ON CONFLICT DO NOTHING",
    )?;
    Ok(())
}

fn import_without_heads(conn: &mut PgConnection, positions: &[i64]) -> test_support::Result {
    for position in positions {
        conn.batch_execute(&format!(
            "INSERT INTO events VALUES ({position}, '', 'Imported', '{position}', 1, gen_random_uuid(), \
             'Imported', 1, '{{}}', NULL, NULL, NULL, NULL, now())"
        ))?;
    }
    Ok(())
}

fn append(conn: &mut PgConnection, name: &str) -> Result<i64, Error> {
    let stream = StreamId::new("Appended", name)?;
    let event = NewEvent::new("Appended", &())?;
    let appended = STORE.append(conn, &stream, ExpectedVersion::Any, &[event])?;
    Ok(appended.last_position().get())
}

fn positions(conn: &mut PgConnection) -> test_support::Result<Vec<i64>> {
    let slice = STORE.read_forward(conn, Position::START, 100)?;
    Ok(slice.events().iter().map(|event| event.position().get()).collect())
}

fn set_sequence(conn: &mut PgConnection, position: i64) -> test_support::Result {
    let sequence = "pg_get_serial_sequence('events', 'global_position')";
    conn.batch_execute(&format!("SELECT setval({sequence}, {position})"))?;
    Ok(())
}

#[test]
fn they_are_read_and_appends_go_on_behind_them() -> test_support::Result {
    for ordering in [LogOrdering::Fenced, LogOrdering::Gapless] {
        for is_read_first in [false, true] {
            let database = Postgres::migrated()?;
            let mut conn = database.connect()?;
            STORE.set_log_ordering(&mut conn, ordering)?;
            import(&mut conn, &[1, 2, 3, 4, 5])?;
            if is_read_first {
                assert_eq!(positions(&mut conn)?, [1, 2, 3, 4, 5]);
                assert_eq!(STORE.last_position(&mut conn)?.get(), 5);
            }
            assert_eq!(append(&mut conn, "new")?, 6, "{ordering:?}");
            assert_eq!(positions(&mut conn)?, [1, 2, 3, 4, 5, 6]);
        }
    }
    Ok(())
}

/// A reader that is at the end of the imported events would never see what is appended below it.
#[test]
fn no_append_goes_into_a_gap_of_theirs() -> test_support::Result {
    for ordering in [LogOrdering::Fenced, LogOrdering::Gapless] {
        let database = Postgres::migrated()?;
        let mut conn = database.connect()?;
        STORE.set_log_ordering(&mut conn, ordering)?;
        import(&mut conn, &[1, 2, 5, 9])?;
        begin(&mut conn)?;
        assert_eq!(append(&mut conn, "in a transaction")?, 10);
        commit(&mut conn)?;
        assert_eq!(append(&mut conn, "alone")?, 11);
    }
    Ok(())
}

#[test]
fn no_append_goes_below_the_events_when_the_sequence_was_moved_back() -> test_support::Result {
    let database = Postgres::migrated()?;
    let (mut conn, mut reader) = (database.connect()?, Tail::new(database.connect()?));
    import(&mut conn, &[1, 2, 5])?;
    assert_eq!(append(&mut conn, "first")?, 6);
    assert_eq!(reader.news()?.len(), 4);
    set_sequence(&mut conn, 2)?;
    assert_eq!(append(&mut conn, "second")?, 7);
    assert_eq!(reader.news()?, ["Appended"]);
    set_sequence(&mut conn, 2)?;
    assert!(reader.news()?.is_empty());
    assert_eq!(append(&mut conn, "third")?, 8);
    assert_eq!(reader.news()?, ["Appended"]);
    Ok(())
}

/// An append that began before the import, and cannot see it, may still go below: then it is waited for.
#[test]
fn an_append_that_cannot_see_them_is_waited_for() -> test_support::Result {
    let database = Postgres::migrated()?;
    let (mut old, mut conn) = (database.connect()?, database.connect()?);
    let mut reader = Tail::new(database.connect()?);
    old.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM events")?;
    import(&mut conn, &[4, 5])?;
    append_one(&mut old, "Below")?;
    assert!(reader.news()?.is_empty());
    old.batch_execute("COMMIT")?;
    assert_eq!(reader.news()?, ["Below", "Imported", "Imported"]);
    Ok(())
}

/// Drawing so many numbers would take hours.
#[test]
fn far_ahead_they_are_not_read_before_the_repair() -> test_support::Result {
    let database = Postgres::migrated()?;
    let mut conn = database.connect()?;
    import(&mut conn, &[1, 1_000_000_000_000])?;
    let refused = Error::from(STORE.read_forward(&mut conn, Position::START, 10).unwrap_err());
    assert_eq!(kind(&refused), Some(DatabaseErrorKind::NeedsRepair), "{refused}");
    assert!(refused.to_string().contains("setval"), "{refused}");
    let refused = append(&mut conn, "refused").unwrap_err();
    assert_eq!(kind(&refused), Some(DatabaseErrorKind::NeedsRepair), "{refused}");

    assert_eq!(STORE.repair(&mut conn)?.counted(), Some(Position::new(1_000_000_000_000)?));
    assert_eq!(append(&mut conn, "after the repair")?, 1_000_000_000_001);
    assert_eq!(positions(&mut conn)?.len(), 3);
    Ok(())
}

#[test]
fn a_position_that_no_lock_could_name_is_refused() -> test_support::Result {
    let database = Postgres::migrated()?;
    let mut conn = database.connect()?;
    for position in [-1, 0, 1 << 48, i64::MAX] {
        import(&mut conn, &[position]).expect_err("it would not be read");
    }
    import(&mut conn, &[(1 << 48) - 1])
}

#[test]
fn a_stream_without_its_head_is_reported_for_what_it_is() -> test_support::Result {
    let database = Postgres::migrated()?;
    let mut conn = database.connect()?;
    import_without_heads(&mut conn, &[1])?;
    let stream = StreamId::new("Imported", 1)?;
    for expected in [ExpectedVersion::Any, ExpectedVersion::NoStream, ExpectedVersion::Exact(1)] {
        let refused = STORE.append(&mut conn, &stream, expected, &[NewEvent::new("Appended", &())?]);
        let refused: AppendError = refused.unwrap_err();
        assert!(refused.to_string().contains("aggregate_heads"), "{expected:?}: {refused}");
        assert!(refused.to_string().contains("repair"), "{expected:?}: {refused}");
        assert_eq!(kind(&Error::from(refused)), Some(DatabaseErrorKind::NeedsRepair), "{expected:?}");
    }
    assert_eq!(STORE.repair(&mut conn)?.heads(), 1);
    STORE.append(&mut conn, &stream, ExpectedVersion::Exact(1), &[NewEvent::new("Appended", &())?])?;
    Ok(())
}

/// Nothing would keep counted positions in order, and a reader would find an empty log.
#[test]
fn a_log_without_its_row_is_not_taken_for_an_empty_one() -> test_support::Result {
    for ordering in [LogOrdering::Fenced, LogOrdering::Gapless] {
        let database = Postgres::migrated()?;
        let mut conn = database.connect()?;
        STORE.set_log_ordering(&mut conn, ordering)?;
        append(&mut conn, "there")?;
        conn.batch_execute("DELETE FROM event_log")?;
        let refusals = [
            STORE.read_forward(&mut conn, Position::START, 10).map(drop).map_err(Error::from),
            STORE.last_position(&mut conn).map(drop).map_err(Error::from),
            STORE.log_ordering(&mut conn).map(drop).map_err(Error::from),
            STORE.set_log_ordering(&mut conn, LogOrdering::Fenced).map_err(Error::from),
        ];
        for refused in refusals {
            let refused = refused.expect_err("it is not known");
            assert_eq!(kind(&refused), Some(DatabaseErrorKind::NeedsRepair), "{ordering:?}: {refused}");
        }
        if ordering == LogOrdering::Gapless {
            let refused = append(&mut conn, "refused").expect_err("its position would be anywhere");
            assert_eq!(kind(&refused), Some(DatabaseErrorKind::NeedsRepair), "{refused}");
        }
        STORE.repair(&mut conn)?;
        assert_eq!(STORE.log_ordering(&mut conn)?, ordering);
        assert_eq!(append(&mut conn, "next")?, 2);
        assert_eq!(positions(&mut conn)?, [1, 2]);
    }
    Ok(())
}

/// Otherwise the first readers would be planned for a log of a few events.
#[cfg(feature = "transfer")]
#[test]
fn the_server_knows_how_many_events_came_in_a_file() -> test_support::Result {
    use diesel_event_store::transfer;
    let (from, to) = (Postgres::migrated()?, Postgres::migrated()?);
    let (mut from, mut to) = (from.connect()?, to.connect()?);
    let events = test_support::counted(300)?;
    STORE.append(&mut from, &StreamId::new("Order", 1)?, ExpectedVersion::NoStream, &events)?;
    let mut file = Vec::new();
    transfer::export(&mut from, &mut file)?;
    transfer::import(&mut to, || Ok(&*file))?;
    assert_eq!(test_support::count(&mut to, "pg_class WHERE relname = 'events' AND reltuples = 300")?, 1);
    Ok(())
}
