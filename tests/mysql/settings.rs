//! Settings of the server, and of a session, under which an append or a read would not be what it is.

use diesel::connection::SimpleConnection;
use diesel_event_store::{DatabaseErrorKind, Error, ExpectedVersion, Position, run_pending_migrations};
use test_support::{Result, counted, execute, user};

use super::database::{Database, STORE, append, is_mariadb, kind_of, log, text};

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
