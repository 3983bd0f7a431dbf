//! Settings of the server, and of a session, under which an append or a read would not be what it is.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::mysql::MysqlConnection;
use diesel_event_store::projection::{self, OnFailure, Projection};
use diesel_event_store::{
    DatabaseErrorKind, Error, ExpectedVersion, LogOrdering, LogQuery, NewEvent, Position, StreamId, operate,
    run_pending_migrations,
};
use test_support::{Result, counted, execute, user};

use super::database::{Database, STORE, append, begin, commit, is_mariadb, kind_of, log, rollback, text};

const MODES: [&str; 9] = [
    "",
    "ANSI",
    "ANSI_QUOTES",
    "PIPES_AS_CONCAT",
    "NO_BACKSLASH_ESCAPES",
    "IGNORE_SPACE",
    "HIGH_NOT_PRECEDENCE",
    "TRADITIONAL",
    "NO_AUTO_VALUE_ON_ZERO,NO_UNSIGNED_SUBTRACTION,REAL_AS_FLOAT,ONLY_FULL_GROUP_BY",
];

/// Not ORACLE, in which the BEGIN that diesel sends is no statement.
const MODES_OF_MARIADB: [&str; 2] = ["MSSQL", "SIMULTANEOUS_ASSIGNMENT,EMPTY_STRING_IS_NULL"];

#[test]
fn a_database_is_migrated_and_used_in_every_sql_mode() -> Result {
    let mut modes = Vec::from(MODES);
    if is_mariadb(&mut Database::empty()?.connect()?)? {
        modes.extend(MODES_OF_MARIADB);
    }
    for mode in modes {
        let db = Database::empty()?;
        let mut conn = db.connect()?;
        execute(&mut conn, &format!("SET SESSION sql_mode = '{mode}'"))?;
        run_pending_migrations(&mut conn)?;
        for conn in [&mut conn, &mut db.connect()?] {
            append(conn, r"back\slash")?;
            execute(conn, "UPDATE events SET payload = ''").expect_err("events are append-only");
            execute(conn, "DELETE FROM events").expect_err("events are append-only");
            STORE.save_checkpoint(conn, r"back\slash", Position::new(1)?)?;
            STORE.append(conn, &user("alice")?, ExpectedVersion::Any, &counted(2)?)?;
            STORE
                .append(conn, &user("alice")?, ExpectedVersion::NoStream, &counted(2)?)
                .expect_err("it exists");
        }
        let twice = [r"back\slash", "alice", "alice"].repeat(2);
        assert_eq!(log(&mut conn)?, twice, "{mode}");
        assert!(STORE.repair(&mut conn)?.is_nothing(), "{mode}");
    }
    Ok(())
}

/// In READ COMMITTED, which an append alone asks for, InnoDB does not write such a log.
#[test]
fn replication_by_statement_is_refused_with_what_to_set() -> Result {
    let db = Database::migrated()?;
    let mut conn = db.connect()?;
    execute(&mut conn, "SET SESSION binlog_format = 'STATEMENT'")?;
    let refused = append(&mut conn, "event").expect_err("it cannot be written to the binary log");
    assert!(refused.to_string().contains("binlog_format"), "{refused}");
    assert_eq!(kind_of(refused), DatabaseErrorKind::UnsuitableSetting);

    let empty = Database::empty()?;
    let mut conn = empty.connect()?;
    execute(&mut conn, "SET SESSION binlog_format = 'STATEMENT'")?;
    let refused = run_pending_migrations(&mut conn).expect_err("nothing could be appended");
    assert_eq!(kind_of(refused), DatabaseErrorKind::UnsuitableSetting);
    execute(&mut conn, "SET SESSION binlog_format = 'ROW'")?;
    assert_eq!(run_pending_migrations(&mut conn)?.len(), 1);
    Ok(())
}

#[test]
fn without_autocommit_a_database_is_migrated_and_what_is_refused_says_so() -> Result {
    let db = Database::empty()?;
    let mut conn = db.connect()?;
    conn.batch_execute("SET autocommit = 0")?;
    run_pending_migrations(&mut conn)?;
    assert_eq!(text(&mut db.connect()?, "(SELECT COUNT(*) FROM __diesel_schema_migrations)")?, "1");

    // Its first read has begun a transaction, which it does not end.
    assert_eq!(STORE.version(&mut conn, &user("alice")?)?, 0);
    let refused = append(&mut conn, "event").map_err(Error::from).expect_err("a transaction is open");
    assert!(refused.to_string().contains("autocommit"), "{refused}");
    assert_eq!(kind_of(refused), DatabaseErrorKind::ForeignTransaction);
    conn.batch_execute("COMMIT")?;
    append(&mut conn, "event")?;
    assert_eq!(log(&mut db.connect()?)?, ["event"]);
    Ok(())
}

/// What a reader sees stays as it was at its first read, and what is saved is lost.
#[test]
fn what_must_be_outside_of_transactions_is_refused_where_one_begins_by_itself() -> Result {
    for setting in ["SET autocommit = 0", "SET completion_type = 'CHAIN'"] {
        let db = Database::migrated()?;
        let mut writer = db.connect()?;
        append(&mut writer, "event")?;
        STORE.publish_position(&mut writer)?;
        let mut conn = db.connect()?;
        execute(&mut conn, setting)?;
        let nothing = Projection::new("nothing", 1, |_: &mut MysqlConnection, _| Ok(()));
        let refusals = [
            STORE.read_forward(&mut conn, Position::START, 10).map(drop).map_err(Error::from),
            STORE.last_position(&mut conn).map(drop).map_err(Error::from),
            STORE.publish_position(&mut conn).map(drop).map_err(Error::from),
            STORE.save_checkpoint(&mut conn, "list", Position::new(1)?).map(drop).map_err(Error::from),
        ];
        for refused in refusals {
            let refused = refused.expect_err("a transaction would begin");
            assert!(refused.to_string().contains("autocommit"), "{refused}");
            assert_eq!(kind_of(refused), DatabaseErrorKind::ForeignTransaction, "{setting}");
        }
        let refused = nothing.catch_up(&mut conn).expect_err("a transaction would begin");
        assert!(refused.to_string().contains("autocommit"), "{refused}");
        assert!(!refused.is_retryable());

        begin(&mut conn)?;
        assert_eq!(STORE.read_forward(&mut conn, Position::START, 10)?.len(), 1);
        STORE.save_checkpoint(&mut conn, "list", Position::new(1)?)?;
        commit(&mut conn)?;
        let saved = STORE.checkpoint(&mut writer, "list")?.map(|checkpoint| checkpoint.position());
        assert_eq!(saved, Some(Position::new(1)?));
    }
    Ok(())
}

/// It would be committed and reported as lost.
#[test]
fn no_append_ends_the_connection() -> Result {
    let db = Database::migrated()?;
    let mut writer = db.connect()?;
    append(&mut writer, "before")?;
    let mut conn = db.connect()?;
    execute(&mut conn, "SET completion_type = 'RELEASE'")?;
    for refused in [
        STORE.last_position(&mut conn).map(drop).map_err(Error::from),
        STORE.publish_position(&mut conn).map(drop).map_err(Error::from),
        append(&mut conn, "lost").map(drop).map_err(Error::from), // its ROLLBACK ends the connection
    ] {
        let refused = refused.expect_err("its COMMIT would end the connection");
        assert!(refused.to_string().contains("completion_type"), "{refused}");
        assert_eq!(kind_of(refused), DatabaseErrorKind::UnsuitableSetting);
    }
    assert_eq!(log(&mut writer)?, ["before"]);
    Ok(())
}

/// Where the highest position may be that of an append which is rolled back.
#[test]
fn counted_positions_are_not_read_uncommitted() -> Result {
    let db = Database::migrated()?;
    let (mut writer, mut reader) = (db.connect()?, db.connect_in("READ UNCOMMITTED")?);
    for ordering in [LogOrdering::Fenced, LogOrdering::Gapless] {
        STORE.set_log_ordering(&mut writer, ordering)?;
        append(&mut writer, "before")?;
        begin(&mut writer)?;
        append(&mut writer, "undone")?;
        let read = STORE.read_forward(&mut reader, Position::START, 10);
        rollback(&mut writer)?;
        if ordering == LogOrdering::Fenced {
            assert!(read?.len() < 2);
            assert_eq!(log(&mut reader)?, ["before"]);
        } else {
            let refused = read.expect_err("it would pass a position that is given out again");
            assert!(refused.to_string().contains("READ-UNCOMMITTED"), "{refused}");
            assert_eq!(kind_of(refused), DatabaseErrorKind::UnsuitableSetting);
        }
    }
    Ok(())
}

#[test]
fn nothing_is_cut_short_by_a_limit_of_the_session() -> Result {
    let db = Database::migrated()?;
    let (mut writer, mut conn) = (db.connect()?, db.connect()?);
    execute(&mut conn, "SET SESSION sql_select_limit = 1")?;
    let recorded = counted(3)?;
    STORE.append(&mut writer, &user("alice")?, ExpectedVersion::Any, &recorded)?;
    for name in ["first", "second"] {
        STORE.save_checkpoint(&mut writer, name, Position::new(1)?)?;
    }
    assert_eq!(STORE.read_stream(&mut conn, &user("alice")?, ..)?.len(), 3);
    assert_eq!(STORE.read_forward(&mut conn, Position::START, 10)?.len(), 3);
    assert_eq!(STORE.iter_log(&mut conn, LogQuery::after(Position::START)).count(), 3);
    assert_eq!(STORE.checkpoints(&mut conn)?.len(), 2);

    let park = |_: &mut MysqlConnection, _: &diesel_event_store::RecordedEvent| {
        Err(std::io::Error::other("refused").into())
    };
    Projection::new("parked", 1, park).on_failure(OnFailure::Park).catch_up(&mut writer)?;
    assert_eq!(projection::parked(&mut conn, ("parked", 1))?.len(), 3);
    Ok(())
}

/// The server would make other characters of what it is sent, and of what it sends.
#[test]
fn other_character_sets_are_refused() -> Result {
    let db = Database::migrated()?;
    let mut writer = db.connect()?;
    let events = counted(1)?;
    let recorded = events[0].id();
    STORE.append(&mut writer, &user("\u{1f600}")?, ExpectedVersion::Any, &events)?;
    STORE.publish_position(&mut writer)?;
    for setting in [
        "SET NAMES utf8mb3",
        "SET NAMES latin1",
        "SET character_set_client = latin1",
        "SET character_set_connection = latin1",
        "SET character_set_results = latin1",
    ] {
        let mut conn = db.connect()?;
        execute(&mut conn, setting)?;
        let event = NewEvent::from_json("Said", r#"{"text": "😀 é"}"#)?;
        let to_other = StreamId::new("Other", "\u{e9}")?;
        let of_user = user("\u{1f600}")?;
        let mut iter = STORE.iter_stream(&mut conn, &of_user, ..);
        let iterated = iter.next().transpose().map(drop).map_err(Error::from);
        drop(iter);
        let refusals = [
            STORE.read_forward(&mut conn, Position::START, 10).map(drop).map_err(Error::from),
            STORE.append(&mut conn, &to_other, ExpectedVersion::Any, &[event]).map(drop).map_err(Error::from),
            STORE.read_stream(&mut conn, &of_user, ..).map(drop).map_err(Error::from),
            iterated,
            STORE.read_event(&mut conn, recorded).map(drop).map_err(Error::from),
            STORE.version(&mut conn, &of_user).map(drop).map_err(Error::from),
            STORE.checkpoint(&mut conn, "\u{e9}").map(drop).map_err(Error::from),
        ];
        for (nth, refused) in refusals.into_iter().enumerate() {
            let refused = refused.err().ok_or(format!("{setting}: {nth}"))?;
            assert!(refused.to_string().contains("utf8mb4"), "{setting}: {refused}");
            assert_eq!(kind_of(refused), DatabaseErrorKind::UnsuitableSetting);
        }
    }
    assert_eq!(text(&mut writer, "(SELECT COUNT(*) FROM aggregate_heads)")?, "1");
    execute(&mut writer, "SET character_set_results = NULL")?;
    assert_eq!(log(&mut writer)?, ["\u{1f600}"]);
    Ok(())
}

#[test]
fn everything_is_done_with_safe_updates() -> Result {
    let db = Database::migrated()?;
    let mut conn = db.connect()?;
    append(&mut conn, "before")?;
    execute(&mut conn, "UPDATE event_fence SET server_id = @@server_id + 1")?;
    execute(&mut conn, "DELETE FROM aggregate_heads")?;
    execute(&mut conn, "SET SESSION sql_safe_updates = 1")?;
    append(&mut conn, "after the fail-over")?;
    assert_eq!(STORE.repair(&mut conn)?.heads(), 1);
    for ordering in [LogOrdering::Gapless, LogOrdering::Fenced] {
        STORE.set_log_ordering(&mut conn, ordering)?;
        append(&mut conn, "in its order")?;
    }
    operate::freeze(&mut conn, "it moves", Duration::from_secs(10))?;
    operate::unfreeze(&mut conn, Duration::from_secs(10))?;
    append(&mut conn, "open")?;
    assert_eq!(log(&mut conn)?.len(), 5);
    STORE.save_checkpoint(&mut conn, "list", Position::new(1)?)?;
    STORE.rewind_checkpoint(&mut conn, "list", Position::START)?;
    assert!(STORE.delete_checkpoint(&mut conn, "list")?);
    Ok(())
}

#[test]
fn positions_go_on_behind_readers_where_an_empty_text_is_null() -> Result {
    let db = Database::migrated()?;
    let mut conn = db.connect()?;
    if !is_mariadb(&mut conn)? {
        return Ok(());
    }
    append(&mut conn, "event")?;
    execute(&mut conn, "UPDATE event_log SET safe_position = 100")?;
    execute(&mut conn, "SET SESSION sql_mode = 'EMPTY_STRING_IS_NULL'")?;
    assert_eq!(STORE.repair(&mut conn)?.counted(), Some(Position::new(100)?));
    assert!(append(&mut conn, "event")?.last_position().get() > 100);
    Ok(())
}

#[cfg(feature = "transfer")]
#[test]
fn keys_are_exported_where_an_empty_text_is_null() -> Result {
    let db = Database::migrated()?;
    let mut conn = db.connect()?;
    let batch =
        diesel_event_store::AppendBatch::new().append(&user("alice")?, ExpectedVersion::Any, counted(1)?);
    STORE.append_batch(&mut conn, &batch.idempotency_key("request"))?;
    if is_mariadb(&mut conn)? {
        execute(&mut conn, "SET SESSION sql_mode = 'EMPTY_STRING_IS_NULL'")?;
    }
    let mut exported = Vec::new();
    diesel_event_store::transfer::export(&mut conn, &mut exported)?;
    assert_eq!(String::from_utf8(exported)?.matches("\"request\"").count(), 1);
    Ok(())
}

/// In that format the index of the streams would be too wide.
#[test]
fn a_database_is_migrated_whatever_the_format_of_rows_is() -> Result {
    let db = Database::in_a_server_of_its_own()?;
    let mut conn = db.connect()?;
    execute(&mut conn, "SET GLOBAL innodb_default_row_format = 'compact'")?;
    let migrated = db.neighbour()?.connect().map(|mut conn| run_pending_migrations(&mut conn));
    execute(&mut conn, "SET GLOBAL innodb_default_row_format = 'dynamic'")?;
    assert_eq!(migrated??.len(), 1);
    Ok(())
}
