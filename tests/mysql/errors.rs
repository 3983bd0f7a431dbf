//! What the server reports is told apart on a real server, by its messages.

use diesel::Connection;
use diesel_event_store::{
    AppendError, DatabaseError, DatabaseErrorKind, Error, ExpectedVersion, Position, run_pending_migrations,
};
use test_support::{Result, at_once, counted, create_app_rows, execute, insert_app_row, user};

use super::database::{Database, STORE, append, begin, commit, is_mariadb, kill, kind_of, number, rollback};

#[test]
fn a_lock_that_is_not_given_in_time() -> Result {
    let db = Database::migrated()?;
    let (mut holder, mut conn) = (db.connect()?, db.connect()?);
    execute(&mut conn, "SET SESSION innodb_lock_wait_timeout = 1")?;
    begin(&mut holder)?;
    append(&mut holder, "same")?;

    let alone = append(&mut conn, "same").unwrap_err();
    assert!(alone.is_retryable());
    assert_eq!(kind_of(alone), DatabaseErrorKind::Locked);

    // In a transaction, only the append is undone.
    create_app_rows(&mut db.connect()?)?;
    conn.transaction::<_, Error, _>(|conn| {
        insert_app_row(conn, "before")?;
        assert_eq!(kind_of(append(conn, "same").unwrap_err()), DatabaseErrorKind::Locked);
        append(conn, "other")?;
        Ok(())
    })?;
    rollback(&mut holder)?;
    append(&mut conn, "same")?;
    assert_eq!(STORE.last_position(&mut conn)?, STORE.publish_position(&mut holder)?);
    Ok(())
}

#[test]
fn a_deadlock_ends_one_of_two_transactions_which_then_succeeds() -> Result {
    let db = Database::migrated()?;
    let mut conns = [db.connect()?, db.connect()?];
    for name in ["a", "b"] {
        append(&mut conns[0], name)?;
    }
    let met = std::sync::Barrier::new(2);
    let deadlocks = at_once(&mut conns, |index, conn| -> Result<usize> {
        let (first, second) = if index == 0 { ("a", "b") } else { ("b", "a") };
        let mut deadlocks = 0;
        loop {
            let outcome = conn.transaction::<_, Error, _>(|conn| {
                append(conn, first)?;
                if deadlocks == 0 {
                    met.wait();
                }
                append(conn, second)?;
                Ok(())
            });
            match outcome {
                Ok(()) => return Ok(deadlocks),
                Err(error) => {
                    assert!(error.is_retryable());
                    assert_eq!(kind_of(error), DatabaseErrorKind::Deadlock);
                    deadlocks += 1;
                }
            }
        }
    });
    let deadlocks = deadlocks.into_iter().sum::<Result<usize>>()?;
    assert_eq!(deadlocks, 1);
    let versions = (STORE.version(&mut conns[0], &test("a")?)?, STORE.version(&mut conns[0], &test("b")?)?);
    assert_eq!(versions, (3, 3));
    Ok(())
}

fn test(name: &str) -> Result<diesel_event_store::StreamId> {
    Ok(diesel_event_store::StreamId::new("Test", name)?)
}

#[test]
fn a_transaction_that_is_read_only() -> Result {
    let db = Database::migrated()?;
    let mut conn = db.connect()?;
    append(&mut conn, "before")?;
    execute(&mut conn, "SET SESSION TRANSACTION READ ONLY")?;
    assert_eq!(kind_of(append(&mut conn, "refused").unwrap_err()), DatabaseErrorKind::ReadOnly);
    conn.transaction::<_, Error, _>(|conn| {
        let refused = append(conn, "refused").unwrap_err();
        assert!(!refused.is_retryable());
        assert_eq!(kind_of(refused), DatabaseErrorKind::ReadOnly);
        let refused = STORE.save_checkpoint(conn, "projection", Position::START).unwrap_err();
        assert_eq!(kind_of(refused), DatabaseErrorKind::ReadOnly);
        Ok(())
    })?;
    Ok(())
}

/// Of an engine whose tables have a limit that is soon reached.
#[test]
fn a_table_that_is_full() -> Result {
    let db = Database::migrated()?;
    let mut conn = db.connect()?;
    execute(&mut conn, "SET SESSION max_heap_table_size = 16384")?;
    // This engine keeps no expression as a default.
    execute(&mut conn, "ALTER TABLE aggregate_heads ALTER tenant_id DROP DEFAULT, ENGINE = MEMORY")?;
    let mut kinds = (0..1000).filter_map(|name| append(&mut conn, &name.to_string()).err());
    assert_eq!(kinds.next().map(kind_of), Some(DatabaseErrorKind::Full));
    Ok(())
}

#[test]
fn a_connection_that_was_killed() -> Result {
    let db = Database::migrated()?;
    let (mut conn, mut admin) = (db.connect()?, db.connect()?);
    let id = number(&mut conn, "CONNECTION_ID()")?;
    kill(&mut admin, id)?;
    let lost = append(&mut conn, "event").unwrap_err();
    assert!(lost.is_retryable());
    assert_eq!(kind_of(lost), DatabaseErrorKind::ConnectionLost);
    assert_eq!(kind_of(STORE.last_position(&mut conn).unwrap_err()), DatabaseErrorKind::ConnectionLost);

    let mut conn = db.connect()?;
    let outcome = conn.transaction::<(), Error, _>(|conn| {
        append(conn, "event")?;
        let _ = execute(conn, "KILL CONNECTION_ID()");
        append(conn, "event")?;
        Ok(())
    });
    assert_eq!(kind_of(outcome.unwrap_err()), DatabaseErrorKind::ConnectionLost);
    assert_eq!(STORE.last_position(&mut admin)?, Position::START);
    Ok(())
}

#[test]
fn a_commit_that_does_not_come_through() -> Result {
    let db = Database::migrated()?;
    let (mut conn, mut admin) = (db.connect()?, db.connect()?);
    let id = number(&mut conn, "CONNECTION_ID()")?;
    begin(&mut conn)?;
    append(&mut conn, "event")?;
    kill(&mut admin, id)?;
    let lost = DatabaseError::from(*commit(&mut conn).unwrap_err().downcast::<diesel::result::Error>()?);
    assert_eq!(lost.kind(), DatabaseErrorKind::ConnectionLost);
    assert!(lost.is_retryable());
    Ok(())
}

#[test]
fn tables_that_are_missing() -> Result {
    for table in ["event_log", "event_fence"] {
        let db = Database::migrated()?;
        let mut conn = db.connect()?;
        execute(&mut conn, &format!("DROP TABLE {table}"))?;
        assert_eq!(kind_of(append(&mut conn, "event").unwrap_err()), DatabaseErrorKind::NotMigrated);
        assert_eq!(kind_of(STORE.last_position(&mut conn).unwrap_err()), DatabaseErrorKind::NotMigrated);
        let of_the_application = DatabaseError::from(execute(&mut conn, "SELECT * FROM own").unwrap_err());
        assert_eq!(of_the_application.kind(), DatabaseErrorKind::Other);
    }
    Ok(())
}

#[test]
fn more_than_the_server_takes_at_once() -> Result {
    let db = Database::in_a_server_of_its_own()?;
    let mut conn = db.connect()?;
    let packet = usize::try_from(number(&mut conn, "@@max_allowed_packet")?)?;
    let sql = format!("SELECT '{}'", "x".repeat(packet));
    let kind = DatabaseError::from(execute(&mut conn, &sql).unwrap_err()).kind();
    assert!(
        matches!(kind, DatabaseErrorKind::TooLarge | DatabaseErrorKind::ConnectionLost),
        "the server may close the connection instead: {kind:?}"
    );
    Ok(())
}

/// Of two who record the same event at the same moment, to different streams.
#[test]
fn a_duplicate_that_nobody_could_see_before() -> Result {
    let db = Database::migrated()?;
    let mut conns = (0..4).map(|_| db.connect()).collect::<Result<Vec<_>>>()?;
    for _ in 0..10 {
        let batch = counted(3)?;
        let outcomes = at_once(&mut conns, |index, conn| {
            STORE.append(conn, &user(&index.to_string())?, ExpectedVersion::Any, &batch)
        });
        let (recorded, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
        assert_eq!(recorded.len(), 1);
        for error in refused.into_iter().filter_map(Result::err) {
            assert!(matches!(error, AppendError::DuplicateEventId { event_index: 0, .. }), "{error:?}");
        }
    }
    Ok(())
}

/// Most failures are told apart by their English messages. An event that is recorded already is not.
#[test]
fn a_duplicate_is_known_in_every_language() -> Result {
    let db = Database::migrated()?;
    let mut conn = db.connect()?;
    let recorded = counted(1)?;
    STORE.append(&mut conn, &user("alice")?, ExpectedVersion::Any, &recorded)?;
    for language in ["de_DE", "fr_FR", "ja_JP", "ru_RU", "es_ES", "en_US"] {
        execute(&mut conn, &format!("SET SESSION lc_messages = '{language}'"))?;
        match STORE.append(&mut conn, &user("bob")?, ExpectedVersion::Any, &recorded) {
            Err(AppendError::DuplicateEventId { event_index: 0, .. }) => {}
            other => panic!("{language}: {other:?}"),
        }
    }
    Ok(())
}

#[test]
fn migrations_that_may_not_be_applied() -> Result {
    let db = Database::empty()?;
    let mut user = db.connect_as("reader", "SELECT")?;
    let refused = run_pending_migrations(&mut user).unwrap_err();
    assert!(!refused.is_retryable());
    Ok(())
}

/// Among the rows, where the client library has been seen to wait for the rest of them for ever, the next
/// time.
#[test]
fn a_read_that_was_interrupted_can_be_repeated() -> Result {
    let db = Database::migrated()?;
    let mut conn = db.connect()?;
    if !is_mariadb(&mut conn)? {
        return Ok(());
    }
    STORE.append(&mut conn, &user("alice")?, ExpectedVersion::NoStream, &counted(5000)?)?;
    let mut interrupted = 0;
    for tenths_of_milliseconds in 1..200 {
        execute(&mut conn, &format!("SET SESSION max_statement_time = 0.{tenths_of_milliseconds:04}"))?;
        let first = STORE.read_stream(&mut conn, &user("alice")?, ..);
        execute(&mut conn, "SET SESSION max_statement_time = 0")?;
        interrupted += u32::from(first.is_err());
        assert_eq!(STORE.read_stream(&mut conn, &user("alice")?, ..)?.len(), 5000);
        if interrupted == 20 {
            return Ok(());
        }
    }
    assert_ne!(interrupted, 0);
    Ok(())
}

/// As the server words it; a group of servers that are all written to is run elsewhere.
#[test]
fn a_commit_that_gives_way_to_one_on_another_server_of_a_group_is_run_again() {
    use diesel::result::{DatabaseErrorKind::Unknown, Error};
    for message in [
        "Plugin instructed the server to rollback the current transaction.",
        "Got error 149 - 'Lock deadlock; Retry transaction' during COMMIT",
    ] {
        let error = DatabaseError::from(Error::DatabaseError(Unknown, Box::new(message.to_owned())));
        assert_eq!(error.kind(), DatabaseErrorKind::Deadlock, "{message}");
        assert!(error.is_retryable());
    }
}
