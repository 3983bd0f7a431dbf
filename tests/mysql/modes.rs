//! Settings of a session that change what SQL means.

use diesel::prelude::*;
use diesel_event_store::chrono::{DateTime, Utc};
use diesel_event_store::{ExpectedVersion, LogQuery, NewEvent, Position};
use test_support::{Result, counted, create_app_rows, execute, user};

use super::database::{Database, STORE, append, is_mariadb, log, text};

/// The collation of a session is that of the texts that it sends. That of MariaDB 11 is another one than that of
/// its tables.
#[test]
fn appends_and_reads_work_in_every_collation() -> Result {
    let db = Database::migrated()?;
    let mut conn = db.connect()?;
    for collation in ["utf8mb4_general_ci", "utf8mb4_unicode_ci", "utf8mb4_bin"] {
        execute(&mut conn, &format!("SET NAMES utf8mb4 COLLATE {collation}"))?;
        for stream in [user(collation)?, user(collation)?.in_tenant("acme")?] {
            STORE.append(&mut conn, &stream, ExpectedVersion::NoStream, &counted(2)?)?;
            assert_eq!(STORE.version(&mut conn, &stream)?, 2, "{collation}");
            assert_eq!(STORE.read_stream(&mut conn, &stream, ..)?.len(), 2, "{collation}");
        }
    }
    Ok(())
}

#[test]
fn appends_and_reads_work_in_every_sql_mode() -> Result {
    let db = Database::migrated()?;
    let mut conn = db.connect()?;
    let mut modes = vec![
        "",
        "ANSI",
        "TRADITIONAL",
        "NO_BACKSLASH_ESCAPES",
        "NO_AUTO_VALUE_ON_ZERO",
        "PAD_CHAR_TO_FULL_LENGTH",
        "NO_ZERO_DATE,NO_ZERO_IN_DATE,STRICT_ALL_TABLES",
    ];
    if is_mariadb(&mut conn)? {
        modes.extend(["SIMULTANEOUS_ASSIGNMENT", "EMPTY_STRING_IS_NULL"]);
    }
    for (mode, round) in modes.into_iter().zip(0..) {
        execute(&mut conn, &format!("SET SESSION sql_mode = '{mode}'"))?;
        let alice = user(&round.to_string())?;
        let appended = STORE.append(&mut conn, &alice, ExpectedVersion::NoStream, &counted(3)?)?;
        let again = STORE.append(&mut conn, &alice, ExpectedVersion::Any, &counted(2)?)?;
        assert_eq!((again.previous_version(), again.version()), (3, 5), "{mode}");
        let conflict = STORE.append(&mut conn, &alice, ExpectedVersion::NoStream, &counted(1)?).unwrap_err();
        assert_eq!(conflict.conflict().map(|conflict| conflict.actual), Some(5), "{mode}");
        let stream = STORE.read_stream(&mut conn, &alice, ..)?;
        assert!(stream.events().starts_with(appended.events()), "{mode}");
        assert!(stream.events().ends_with(again.events()), "{mode}");
        let of_tenant = alice.in_tenant("acme")?;
        let appended = STORE.append(&mut conn, &of_tenant, ExpectedVersion::NoStream, &counted(1)?)?;
        let query = LogQuery::before(Position::END).tenant("acme");
        assert_eq!(STORE.read_log(&mut conn, &query, 1)?.events(), appended.events(), "{mode}");
        let (first, second) = (Position::new(10 * round + 1)?, Position::new(10 * round + 2)?);
        STORE.save_checkpoint(&mut conn, "projection", second)?;
        STORE.save_checkpoint(&mut conn, "projection", first).unwrap_err();
        let saved = STORE.checkpoint(&mut conn, "projection")?.ok_or("it was saved")?;
        assert_eq!(saved.position(), second, "{mode}");
    }
    Ok(())
}

#[test]
fn times_are_in_utc_whatever_the_time_zone_of_the_session() -> Result {
    let db = Database::migrated()?;
    let mut conn = db.connect()?;
    let time: DateTime<Utc> = "2026-03-29T01:30:00.123456Z".parse()?;
    for zone in ["+00:00", "+05:45", "-11:00"] {
        execute(&mut conn, &format!("SET time_zone = '{zone}'"))?;
        let event = NewEvent::new("Timed", &())?.created_at(time);
        let appended = STORE.append(&mut conn, &user(zone)?, ExpectedVersion::Any, &[event])?;
        let id = appended.events()[0].id();
        let stored = text(&mut conn, &format!("(SELECT created_at FROM events WHERE event_id = '{id}')"))?;
        assert_eq!(stored, "2026-03-29 01:30:00.123456");
    }
    for zone in ["+00:00", "+09:00"] {
        execute(&mut conn, &format!("SET time_zone = '{zone}'"))?;
        let log = STORE.read_forward(&mut conn, Position::START, 10)?;
        assert!(log.events().iter().all(|event| event.created_at() == time));
    }
    Ok(())
}

/// Their names for the same thing differ, and an application may have chosen another one.
#[test]
fn names_can_be_joined_with_an_applications_own() -> Result {
    let db = Database::migrated()?;
    let mut conn = db.connect()?;
    create_app_rows(&mut conn)?;
    append(&mut conn, "alice")?;
    for name in ["alice", "ALICE", "bob"] {
        execute(&mut conn, &format!("INSERT INTO app_rows VALUES ('{name}')"))?;
    }
    let joined = text(&mut conn, "(SELECT COUNT(*) FROM app_rows JOIN events ON name = aggregate_id)")?;
    assert_eq!(joined, "1");
    Ok(())
}

/// In a command line, too.
#[test]
fn a_row_can_be_read_without_this_crate() -> Result {
    let db = Database::migrated()?;
    let mut conn = db.connect()?;
    let event = NewEvent::from_json("Measured", r#"{"b": 1.50, "a": "\u0000"}"#)?;
    let appended = STORE.append(&mut conn, &user("alice")?, ExpectedVersion::Any, &[event])?;
    let event = &appended.events()[0];
    let row = text(
        &mut conn,
        "(SELECT CONCAT_WS('|', aggregate_type, aggregate_id, aggregate_version, event_id, payload) FROM events)",
    )?;
    assert_eq!(row, format!(r#"User|alice|1|{}|{{"b": 1.50, "a": "\u0000"}}"#, event.id()));

    use diesel_event_store::schema::mysql::events;
    let found: i64 = events::table.filter(events::event_type.eq("Measured")).count().get_result(&mut conn)?;
    assert_eq!((found, log(&mut conn)?.len()), (1, 1));
    Ok(())
}
