//! What the doctor finds on MySQL and MariaDB.

use test_support::private_server::PrivateServer;
use test_support::{Mysql, TestDatabase, execute};

use super::advice::{advice, mends, paste, told};
use super::run::answer;
use super::shop::append;

/// The servers of the tests do not write to the disk at each commit, which is told.
fn problems(url: &str) -> Vec<String> {
    let of_tests =
        |what: &String| what.contains("innodb_flush_log_at_trx_commit") || what.contains("sync_binlog");
    told(url).into_iter().map(|(what, _)| what).filter(|what| !of_tests(what)).collect()
}

fn none() -> Vec<String> {
    Vec::new()
}

#[test]
fn what_the_migrations_have_made_has_to_be_there() {
    let db = Mysql::migrated().unwrap();
    let mut conn = db.connect().unwrap();
    append(&mut conn, "o-1", &["OrderPlaced"]);
    assert_eq!(problems(&db.url()), none());
    for trigger in [
        "events_refuse_update",
        "events_refuse_delete",
        "event_rewrites_refuse_update",
        "event_rewrites_refuse_delete",
        "event_seals_refuse_update",
        "event_seals_refuse_delete",
    ] {
        execute(&mut conn, &format!("DROP TRIGGER {trigger}")).unwrap();
        mends(&db.url(), &format!("the trigger {trigger} is missing"));
    }
    for table in ["append_keys", "parked_events", "snapshots"] {
        execute(&mut conn, &format!("DROP TABLE {table}")).unwrap();
        mends(&db.url(), &format!("the table {table} is missing"));
    }
    execute(&mut conn, "DROP TABLE __diesel_schema_migrations").unwrap();
    mends(&db.url(), "__diesel_schema_migrations does not say so");
    assert_eq!(answer(&db.url(), &["migrate"]), "the tables are up to date\n");
    assert_eq!(problems(&db.url()), none());
}

/// A `freeze` was killed while another connection has opened the log.
#[test]
fn a_trigger_that_is_left_on_an_open_log_is_dropped() {
    let db = Mysql::migrated().unwrap();
    let mut conn = db.connect().unwrap();
    answer(&db.url(), &["freeze", "a test", "--yes"]);
    execute(&mut conn, "UPDATE event_fence SET state = 'open'").unwrap();
    execute(&mut conn, "UPDATE event_log SET state = 'open', note = NULL").unwrap();
    mends(&db.url(), "the trigger events_refuse_insert is left");
    append(&mut conn, "o-1", &["OrderPlaced"]);
    assert_eq!(problems(&db.url()), none());
}

#[test]
fn tables_that_were_altered_are_altered_back() {
    let db = Mysql::migrated().unwrap();
    let mut conn = db.connect().unwrap();
    append(&mut conn, "o-1", &["OrderPlaced"]);
    execute(&mut conn, "ALTER TABLE event_rewrites ENGINE = MyISAM").unwrap();
    mends(&db.url(), "a table is not in InnoDB");
    for change in [
        "ALTER TABLE events CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
        "ALTER TABLE append_keys CONVERT TO CHARACTER SET latin1",
        "ALTER TABLE event_seals MODIFY chain CHAR(64) COLLATE utf8mb4_unicode_ci NOT NULL",
    ] {
        execute(&mut conn, change).unwrap();
        mends(&db.url(), "another character set or collation");
    }
    append(&mut conn, "o-1", &["OrderPaid"]);
    assert_eq!(problems(&db.url()), none());
}

#[test]
fn positions_that_readers_have_come_to_are_not_given_again() {
    let db = Mysql::migrated().unwrap();
    let mut conn = db.connect().unwrap();
    append(&mut conn, "o-1", &["OrderPlaced"]);
    execute(&mut conn, "UPDATE event_log SET safe_position = 100").unwrap();
    mends(&db.url(), "is not above 100, to which readers have come");
    append(&mut conn, "o-1", &["OrderPaid"]);
    assert_eq!(problems(&db.url()), none());
}

#[test]
fn what_a_dump_has_left_out_is_put_back() {
    let db = Mysql::migrated().unwrap();
    let mut conn = db.connect().unwrap();
    append(&mut conn, "o-1", &["OrderPlaced"]);
    execute(&mut conn, "DELETE FROM event_fence WHERE slot = 0").unwrap();
    mends(&db.url(), "event_fence has lost a row");
    execute(&mut conn, "ALTER TABLE events MODIFY global_position BIGINT NOT NULL").unwrap();
    mends(&db.url(), "events.global_position has lost AUTO_INCREMENT");
    append(&mut conn, "o-1", &["OrderPaid"]);
    assert_eq!(problems(&db.url()), none());
}

#[test]
fn settings_of_the_server_are_found_and_mended() {
    let server = PrivateServer::start("mariadb", &[]).unwrap();
    let url = server.url();
    answer(url, &["migrate"]);
    let wrong = "SET GLOBAL innodb_flush_log_at_trx_commit = 2; SET GLOBAL sync_binlog = 0; \
                 SET GLOBAL autocommit = 0; \
                 SET GLOBAL TRANSACTION ISOLATION LEVEL SERIALIZABLE; SET GLOBAL sql_mode = ''; \
                 SET GLOBAL max_allowed_packet = 1048576; SET GLOBAL binlog_format = 'STATEMENT'; \
                 SET GLOBAL lc_messages = 'de_DE'; SET GLOBAL read_only = 1;";
    paste(url, &format!("SQL: {wrong}"));
    for what in [
        "innodb_flush_log_at_trx_commit is not 1",
        "sync_binlog is not 1",
        "autocommit is off",
        "transactions are SERIALIZABLE",
        "sql_mode is not strict",
        "max_allowed_packet is below 16 MiB",
        "lc_messages is not English",
        "binlog_format is STATEMENT",
        "the server is read-only",
    ] {
        mends(url, what);
    }
    assert_eq!(told(url), []);
}

#[test]
fn a_user_is_told_what_it_lacks() {
    let db = Mysql::migrated().unwrap();
    let mut conn = db.connect().unwrap();
    let url = db.url();
    let (_, name) = url.rsplit_once('/').unwrap();
    // A name has at most 32 characters.
    let number = &name[name.len() - 12..];
    let user = format!("'it''s {number}'@'127.0.0.1'");
    let few = format!(
        "CREATE USER {user}; GRANT SELECT ON {name}.events TO {user}; \
         GRANT SELECT ON {name}.event_log TO {user}"
    );
    execute(&mut conn, &few).unwrap();
    let theirs = url.replacen("root@", &format!("it%27s%20{number}@"), 1);
    paste(&url, &advice(&theirs, "this user may not read event_rewrites, aggregate_heads"));
    // It may not see triggers, and they are not taken for missing.
    assert_eq!(problems(&theirs), none());
    execute(&mut conn, &format!("DROP USER {user}")).unwrap();
}

/// As after a `freeze` that was killed before it had created the trigger.
#[test]
fn a_frozen_log_refuses_what_is_inserted_by_sql() {
    let db = Mysql::migrated().unwrap();
    let mut conn = db.connect().unwrap();
    append(&mut conn, "o-1", &["OrderPlaced"]);
    answer(&db.url(), &["freeze", "for a while", "--yes"]);
    execute(&mut conn, "DROP TRIGGER events_refuse_insert").unwrap();
    mends(&db.url(), "the trigger events_refuse_insert is missing");
    answer(&db.url(), &["unfreeze", "--yes"]);
    assert_eq!(problems(&db.url()), none());
}
