//! Only on the server where events are appended can it be seen who is appending. Which one it is stands in
//! the database, so that a reader elsewhere knows, and here it is made to say that it is another one.

use diesel::connection::SimpleConnection;
use diesel::mysql::MysqlConnection;
use diesel_event_store::{DatabaseErrorKind, LogOrdering};
use test_support::{Result, execute};

use super::database::{Database, STORE, append, begin, commit, kind_of, log, rollback, text};

const ANOTHER: &str = "UPDATE event_fence SET server_id = @@server_id + 1";

fn is_here(conn: &mut MysqlConnection) -> Result<bool> {
    Ok(text(conn, "(SELECT MIN(server_id = @@server_id) FROM event_fence)")? == "1")
}

#[test]
fn a_reader_elsewhere_reads_what_was_published_and_writes_nothing() -> Result {
    let db = Database::migrated()?;
    let (mut conn, mut reader) = (db.connect()?, db.connect()?);
    append(&mut conn, "first")?;
    STORE.publish_position(&mut conn)?;
    append(&mut conn, "second")?;
    conn.batch_execute(ANOTHER)?;
    let before =
        text(&mut conn, "(SELECT CONCAT_WS(',', phase, draining_position, safe_position) FROM event_log)")?;
    assert_eq!(log(&mut reader)?, ["first"]);
    assert_eq!(STORE.publish_position(&mut reader)?.get(), 1);
    let after =
        text(&mut conn, "(SELECT CONCAT_WS(',', phase, draining_position, safe_position) FROM event_log)")?;
    assert_eq!(after, before);
    Ok(())
}

#[test]
fn a_reader_elsewhere_is_told_that_nothing_is_published() -> Result {
    let db = Database::migrated()?;
    let mut conn = db.connect()?;
    append(&mut conn, "first")?;
    conn.batch_execute(ANOTHER)?;
    let refused = STORE.last_position(&mut conn).expect_err("nothing is published");
    assert_eq!(kind_of(refused), DatabaseErrorKind::NotPublished);
    Ok(())
}

#[test]
fn the_first_append_after_a_fail_over_takes_the_log_along() -> Result {
    for nested in [false, true] {
        let db = Database::migrated()?;
        let mut conn = db.connect()?;
        append(&mut conn, "before")?;
        conn.batch_execute(ANOTHER)?;
        if nested {
            begin(&mut conn)?;
            append(&mut conn, "after")?;
            commit(&mut conn)?;
        } else {
            append(&mut conn, "after")?;
        }
        assert!(is_here(&mut conn)?);
        assert_eq!(log(&mut conn)?, ["before", "after"]);
    }
    Ok(())
}

#[test]
fn an_append_that_is_rolled_back_takes_nothing_along() -> Result {
    let db = Database::migrated()?;
    let mut conn = db.connect()?;
    append(&mut conn, "before")?;
    STORE.publish_position(&mut conn)?;
    conn.batch_execute(ANOTHER)?;
    begin(&mut conn)?;
    append(&mut conn, "undone")?;
    rollback(&mut conn)?;
    assert!(!is_here(&mut conn)?);
    assert_eq!(log(&mut conn)?, ["before"]);
    Ok(())
}

/// Servers that append at the same time count in steps, and none of them knows of the other's locks.
#[test]
fn an_append_beside_that_of_another_server_is_refused() -> Result {
    let db = Database::migrated()?;
    let mut conn = db.connect()?;
    execute(&mut conn, "SET SESSION auto_increment_increment = 2")?;
    append(&mut conn, "here")?;
    conn.batch_execute(ANOTHER)?;
    let refused = append(&mut conn, "beside").expect_err("another server appends");
    assert!(!refused.is_retryable());
    assert_eq!(kind_of(refused), DatabaseErrorKind::OtherServer);
    assert_eq!(text(&mut conn, "(SELECT COUNT(*) FROM events)")?, "1");

    // After a fail-over.
    STORE.repair(&mut conn)?;
    append(&mut conn, "after")?;
    assert_eq!(log(&mut conn)?, ["here", "after"]);
    Ok(())
}

#[test]
fn in_the_gapless_ordering_every_server_may_append_and_read() -> Result {
    let db = Database::migrated()?;
    let mut conn = db.connect()?;
    STORE.set_log_ordering(&mut conn, LogOrdering::Gapless)?;
    conn.batch_execute(ANOTHER)?;
    execute(&mut conn, "SET SESSION auto_increment_increment = 2")?;
    append(&mut conn, "first")?;
    append(&mut conn, "second")?;
    assert_eq!(log(&mut conn)?, ["first", "second"]);
    Ok(())
}
