//! The users of `docs/databases.md`, with exactly the privileges that stand there.

use diesel::Connection;
use diesel::connection::SimpleConnection;
use diesel::mysql::MysqlConnection;
use diesel_event_store::chrono::Utc;
use diesel_event_store::projection::Projection;
use diesel_event_store::{
    AppendBatch, DatabaseErrorKind, Error, EventStore, ExpectedVersion, LogOrdering, Position,
    run_pending_migrations,
};
use test_support::counter::{KeptCounter, count_and_keep};
use test_support::{Result, count, counted, create_app_rows, execute, insert_app_row, user};

use super::database::{Database, STORE, append, kind_of, log};

type Grants = &'static [(&'static str, &'static str)];

const READER_OF_WHAT_IS_PUBLISHED: Grants = &[("SELECT", "*")];

const READER: Grants = &[("SELECT", "*"), ("UPDATE", "event_log"), ("UPDATE", "event_fence")];

const APPENDER: Grants = &[
    ("SELECT, INSERT", "events"),
    ("SELECT", "event_rewrites"),
    ("SELECT, INSERT, UPDATE, DELETE", "aggregate_heads"),
    ("SELECT, INSERT, UPDATE", "append_keys"),
    ("SELECT, INSERT, UPDATE", "snapshots"),
    ("SELECT, UPDATE", "event_log"),
    ("SELECT, UPDATE", "event_fence"),
];

const WORKER: Grants = &[
    ("SELECT", "events"),
    ("SELECT", "event_rewrites"),
    ("SELECT", "aggregate_heads"),
    ("SELECT, UPDATE", "event_log"),
    ("SELECT, UPDATE", "event_fence"),
    ("SELECT, INSERT, UPDATE, DELETE", "projection_checkpoints"),
    ("SELECT, INSERT, UPDATE, DELETE", "projection_workers"),
    ("SELECT, INSERT, UPDATE, DELETE", "parked_events"),
];

const MIGRATOR: Grants = &[("SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, TRIGGER", "*")];

fn connect(db: &Database, grants: Grants) -> Result<MysqlConnection> {
    let mut admin = db.connect()?;
    let url = db.url();
    let name = url.rsplit('/').next().unwrap_or_default();
    let user = format!("u{}", &diesel_event_store::uuid::Uuid::now_v7().simple().to_string()[12..]);
    admin.batch_execute(&format!("CREATE USER '{user}'@'%'"))?;
    for (privileges, table) in grants {
        admin.batch_execute(&format!("GRANT {privileges} ON {name}.{table} TO '{user}'@'%'"))?;
    }
    let (_, server) = url.split_once('@').ok_or("a user in the URL")?;
    Ok(MysqlConnection::establish(&format!("mysql://{user}@{server}"))?)
}

#[test]
fn a_user_who_may_only_select_is_told_what_it_needs_and_never_reads_an_empty_log() -> Result {
    let db = Database::migrated()?;
    let mut admin = db.connect()?;
    append(&mut admin, "first")?;
    let mut reports = connect(&db, READER_OF_WHAT_IS_PUBLISHED)?;
    let refusals = [
        STORE.read_forward(&mut reports, Position::START, 10).map(drop).map_err(Error::from),
        STORE.last_position(&mut reports).map(drop).map_err(Error::from),
        STORE.publish_position(&mut reports).map(drop).map_err(Error::from),
    ];
    for refused in refusals {
        let refused = refused.expect_err("nothing is published");
        assert!(refused.to_string().contains("UPDATE"), "{refused}");
        assert!(refused.to_string().contains("event_fence"), "{refused}");
        assert_eq!(kind_of(refused), DatabaseErrorKind::NotPermitted);
    }
    STORE.publish_position(&mut admin)?;
    append(&mut admin, "second")?;
    assert_eq!(log(&mut reports)?, ["first"]);
    assert_eq!(STORE.read_stream(&mut reports, &user("nobody")?, ..)?.len(), 0);
    let refused = append(&mut reports, "third").expect_err("it may not");
    assert_eq!(kind_of(refused), DatabaseErrorKind::NotPermitted);
    Ok(())
}

/// One table after the other is missing.
#[test]
fn a_user_without_a_privilege_on_any_of_the_tables_is_told_so() -> Result {
    for missing in ["events", "event_log", "event_fence"] {
        let db = Database::migrated()?;
        append(&mut db.connect()?, "first")?;
        let mut conn = connect(&db, APPENDER)?;
        let mut admin = db.connect()?;
        let user = super::database::text(&mut conn, "CURRENT_USER()")?;
        let (user, host) = user.split_once('@').ok_or("a host")?;
        let name = db.url().rsplit('/').next().unwrap_or_default().to_owned();
        admin.batch_execute(&format!("REVOKE SELECT ON {name}.{missing} FROM '{user}'@'{host}'"))?;
        let refused = STORE.last_position(&mut conn).expect_err("it may not");
        assert_eq!(kind_of(refused), DatabaseErrorKind::NotPermitted, "{missing}");
    }
    Ok(())
}

#[test]
fn a_reader_reads_and_publishes() -> Result {
    let db = Database::migrated()?;
    append(&mut db.connect()?, "first")?;
    let mut reader = connect(&db, READER)?;
    assert_eq!(log(&mut reader)?, ["first"]);
    assert_eq!(STORE.publish_position(&mut reader)?.get(), 1);
    Ok(())
}

#[test]
fn an_appender_appends_in_every_way() -> Result {
    for ordering in [LogOrdering::Fenced, LogOrdering::Gapless] {
        let db = Database::migrated()?;
        let mut admin = db.connect()?;
        STORE.set_log_ordering(&mut admin, ordering)?;
        create_app_rows(&mut admin)?;
        execute(&mut admin, "UPDATE event_fence SET server_id = @@server_id + 1")?;
        let name = db.url().rsplit('/').next().unwrap_or_default().to_owned();
        let mut conn = connect(&db, APPENDER)?;
        let user_name = super::database::text(&mut conn, "CURRENT_USER()")?;
        let (user_name, _) = user_name.split_once('@').ok_or("a host")?;
        admin.batch_execute(&format!("GRANT SELECT, INSERT ON {name}.app_rows TO '{user_name}'@'%'"))?;

        let recorded = counted(1)?;
        STORE.append(&mut conn, &user("alice")?, ExpectedVersion::NoStream, &recorded)?;
        STORE.append(&mut conn, &user("alice")?, ExpectedVersion::Exact(1), &counted(100)?)?;
        STORE
            .append(&mut conn, &user("alice")?, ExpectedVersion::NoStream, &counted(1)?)
            .expect_err("it exists");
        conn.transaction::<_, Error, _>(|conn| {
            insert_app_row(conn, "row")?;
            STORE.append(conn, &user("bob")?, ExpectedVersion::Any, &counted(1)?)?;
            STORE.append(conn, &user("carol")?, ExpectedVersion::Any, &recorded).expect_err("it is recorded");
            Ok(())
        })?;
        assert_eq!(log(&mut conn)?.len(), 102);

        let batch = AppendBatch::new()
            .append(&user("alice")?, ExpectedVersion::Exact(101), counted(1)?)
            .guard(&user("bob")?, ExpectedVersion::Exact(1))
            .guard(&user("nobody")?, ExpectedVersion::NoStream)
            .idempotency_key("request");
        STORE.append_batch(&mut conn, &batch)?;
        assert!(STORE.append_batch(&mut conn, &batch)?.is_repeat());

        assert_eq!((count_and_keep(&mut conn)?, count_and_keep(&mut conn)?), (1, 2));

        let refused = [
            STORE.delete_old_snapshots::<KeptCounter>(&mut conn).map_err(Error::from).unwrap_err(),
            STORE.delete_keys_before(&mut conn, Utc::now()).map_err(Error::from).unwrap_err(),
        ];
        assert_eq!(refused.map(kind_of), [DatabaseErrorKind::NotPermitted; 2]);
        for table in ["snapshots", "append_keys"] {
            admin.batch_execute(&format!("GRANT DELETE ON {name}.{table} TO '{user_name}'@'%'"))?;
        }
        assert_eq!(STORE.delete_old_snapshots::<KeptCounter>(&mut conn)?, 0);
        assert_eq!(STORE.delete_keys_before(&mut conn, Utc::now())?, 1);
    }
    Ok(())
}

#[test]
fn a_worker_applies_a_projection() -> Result {
    let db = Database::migrated()?;
    let mut admin = db.connect()?;
    append(&mut admin, "first")?;
    let mut worker = connect(&db, WORKER)?;
    let projection = Projection::new("nothing", 1, |_: &mut MysqlConnection, _| Ok(()));
    projection.catch_up(&mut worker)?;
    assert_eq!(count(&mut admin, "projection_checkpoints WHERE last_global_position = 1")?, 1);
    EventStore::new().save_checkpoint(&mut worker, "by hand", Position::new(1)?)?;
    Ok(())
}

#[test]
fn a_migrator_migrates() -> Result {
    let db = Database::empty()?;
    let mut admin = db.connect()?;
    let trusted = super::database::text(&mut admin, "@@global.log_bin_trust_function_creators")?;
    execute(&mut admin, "SET GLOBAL log_bin_trust_function_creators = ON")?;
    let outcome = run_pending_migrations(&mut connect(&db, MIGRATOR)?);
    if trusted == "0" {
        execute(&mut admin, "SET GLOBAL log_bin_trust_function_creators = OFF")?;
    }
    assert_eq!(outcome?.len(), 1);
    append(&mut admin, "first")?;
    assert_eq!(log(&mut admin)?, ["first"]);
    Ok(())
}

/// What the reader asks the server for ends with the question.
#[test]
fn the_next_transaction_of_a_reader_has_the_isolation_of_its_session() -> Result {
    let db = Database::migrated()?;
    let mut admin = db.connect()?;
    create_app_rows(&mut admin)?;
    append(&mut admin, "published")?;
    STORE.publish_position(&mut admin)?;
    append(&mut admin, "not yet")?;
    let mut reports = connect(&db, READER_OF_WHAT_IS_PUBLISHED)?;
    assert_eq!(STORE.last_position(&mut reports)?.get(), 1);
    reports
        .transaction::<_, Error, _>(|reports| {
            assert_eq!(count(reports, "app_rows")?, 0);
            insert_app_row(&mut admin, "meanwhile")?;
            assert_eq!(count(reports, "app_rows")?, 0, "REPEATABLE READ");
            Ok(())
        })
        .map_err(Into::into)
}
