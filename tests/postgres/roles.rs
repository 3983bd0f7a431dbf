//! Roles that have the privileges of `docs/databases.md` and no others.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_event_store::chrono::Utc;
use diesel_event_store::projection::{self, Projection, ProjectionError};
use diesel_event_store::{
    AppendBatch, DatabaseErrorKind, Error, EventStore, ExpectedVersion, LogOrdering, NewEvent, Position,
    ReadError, RecordedEvent, StreamId, run_pending_migrations,
};
use test_support::counter::{KeptCounter, count_and_keep};
use test_support::witness::{append_one, kind};
use test_support::{self, Postgres, TestDatabase};

const STORE: EventStore = EventStore::new();

const READER: &str = "GRANT SELECT ON events, event_rewrites, aggregate_heads, event_log TO";
const KEEPER_OF_SNAPSHOTS: &str = "GRANT SELECT, INSERT, UPDATE ON snapshots TO";
const KEEPER_OF_KEYS: &str = "GRANT SELECT, INSERT ON append_keys TO";
const APPENDER: [&str; 3] = [
    "GRANT SELECT, INSERT ON events TO",
    "GRANT SELECT, INSERT, UPDATE ON aggregate_heads TO",
    "GRANT USAGE ON SEQUENCE events_global_position_seq TO",
];
const GUARDIAN: &str = "GRANT DELETE ON aggregate_heads TO";
const GAPLESS_APPENDER: &str = "GRANT SELECT, UPDATE ON event_log TO";
const PUBLISHER: &str = "GRANT SELECT, UPDATE ON event_log TO";
const PROJECTION: &str =
    "GRANT SELECT, INSERT, UPDATE, DELETE ON projection_checkpoints, projection_workers, parked_events TO";
const STARTER: &str = "GRANT SELECT ON __diesel_schema_migrations TO";
const MIGRATOR: &str = "GRANT CREATE, USAGE ON SCHEMA public TO";

/// A role of one test's own, gone when it is dropped. What it owns is in the test's database and goes with
/// that.
struct Role<'d> {
    name: String,
    database: &'d Postgres,
}

impl<'d> Role<'d> {
    fn create(database: &'d Postgres, grants: &[&str]) -> test_support::Result<Self> {
        let name = format!("des_test_{}", diesel_event_store::uuid::Uuid::now_v7().simple());
        let mut admin = database.connect()?;
        admin.batch_execute(&format!("CREATE ROLE {name}"))?;
        let role = Self { name, database };
        for grant in grants {
            admin.batch_execute(&format!("{grant} {}", role.name))?;
        }
        Ok(role)
    }

    fn connect(&self) -> test_support::Result<PgConnection> {
        let mut conn = self.database.connect()?;
        conn.batch_execute(&format!("SET ROLE {}", self.name))?;
        Ok(conn)
    }
}

impl Drop for Role<'_> {
    fn drop(&mut self) {
        let name = &self.name;
        let dropped = self.database.connect().and_then(|mut conn| {
            Ok(conn.batch_execute(&format!("DROP OWNED BY {name} CASCADE; DROP ROLE {name}"))?)
        });
        if let Err(error) = dropped {
            eprintln!("DROP ROLE {name}: {error}");
        }
    }
}

fn assert_not_permitted(refused: impl Into<Error>) {
    let refused = refused.into();
    assert_eq!(kind(&refused), Some(DatabaseErrorKind::NotPermitted), "{refused}");
    assert!(refused.to_string().contains("SELECT on events"), "{refused}");
}

#[test]
fn a_reader_reads_and_does_nothing_else() -> test_support::Result {
    for ordering in [LogOrdering::Fenced, LogOrdering::Gapless] {
        let database = Postgres::migrated()?;
        let mut admin = database.connect()?;
        STORE.set_log_ordering(&mut admin, ordering)?;
        let role = Role::create(&database, &[READER])?;
        let mut reader = role.connect()?;
        assert_eq!(STORE.last_position(&mut reader)?, Position::START, "nothing is there yet");
        append_one(&mut admin, "There")?;
        assert_eq!(STORE.read_forward(&mut reader, Position::START, 10)?.len(), 1, "{ordering:?}");
        assert_eq!(STORE.last_position(&mut reader)?.get(), 1);
        let stream = StreamId::new("Alone", "There")?;
        assert_eq!(STORE.read_stream(&mut reader, &stream, ..)?.len(), 1);
        assert_eq!(STORE.version(&mut reader, &stream)?, 1);

        assert_not_permitted(append_one(&mut reader, "Refused").unwrap_err());
        assert_not_permitted(STORE.repair(&mut reader).unwrap_err());
        assert_not_permitted(STORE.save_checkpoint(&mut reader, "refused", Position::START).unwrap_err());
    }
    Ok(())
}

/// An empty log would say that there is nothing to do.
#[test]
fn a_reader_that_may_not_know_the_sequence_is_told_so() -> test_support::Result {
    let database = Postgres::migrated()?;
    let mut admin = database.connect()?;
    admin.batch_execute("REVOKE SELECT ON SEQUENCE events_global_position_seq FROM PUBLIC")?;
    let role = Role::create(&database, &[READER])?;
    let mut reader = role.connect()?;
    assert_not_permitted(STORE.read_forward(&mut reader, Position::START, 10).unwrap_err());
    append_one(&mut admin, "There")?;
    assert_not_permitted(STORE.read_forward(&mut reader, Position::START, 10).unwrap_err());
    assert_not_permitted(STORE.last_position(&mut reader).unwrap_err());
    Ok(())
}

/// It may not bring the sequence past events that were imported.
#[test]
fn a_reader_of_imported_events_is_told_of_the_repair() -> test_support::Result {
    let database = Postgres::migrated()?;
    let mut admin = database.connect()?;
    let role = Role::create(&database, &[READER])?;
    append_one(&mut admin, "There")?;
    admin.batch_execute("ALTER SEQUENCE events_global_position_seq RESTART")?;
    let mut reader = role.connect()?;
    let refused = Error::from(STORE.read_forward(&mut reader, Position::START, 10).unwrap_err());
    assert_eq!(kind(&refused), Some(DatabaseErrorKind::NeedsRepair), "{refused}");
    STORE.repair(&mut admin)?;
    assert_eq!(STORE.read_forward(&mut reader, Position::START, 10)?.len(), 1);
    Ok(())
}

#[test]
fn an_appender_appends() -> test_support::Result {
    let database = Postgres::migrated()?;
    let role = Role::create(&database, &APPENDER)?;
    let mut appender = role.connect()?;
    append_one(&mut appender, "First")?;
    append_one(&mut appender, "First").expect_err("its stream is there");
    append_one(&mut appender, "Second")?;
    assert_eq!(test_support::count(&mut appender, "events")?, 2);

    let mut admin = database.connect()?;
    STORE.set_log_ordering(&mut admin, LogOrdering::Gapless)?;
    assert_not_permitted(append_one(&mut appender, "Third").unwrap_err());
    admin.batch_execute(&format!("{GAPLESS_APPENDER} {}", role.name))?;
    append_one(&mut appender, "Third")?;
    Ok(())
}

#[test]
fn an_appender_appends_batches() -> test_support::Result {
    let database = Postgres::migrated()?;
    let role = Role::create(&database, &APPENDER)?;
    let mut appender = role.connect()?;
    let [one, other, nobody] = ["one", "other", "nobody"].map(|id| StreamId::new("Batched", id));
    let (one, other, nobody) = (one?, other?, nobody?);
    let event = || [NewEvent::new("Batched", &()).expect("it is JSON")];
    let batch = AppendBatch::new().append(&one, ExpectedVersion::NoStream, event()).append(
        &other,
        ExpectedVersion::NoStream,
        event(),
    );
    STORE.append_batch(&mut appender, &batch)?;
    let guarded = AppendBatch::new()
        .append(&one, ExpectedVersion::Exact(1), event())
        .guard(&other, ExpectedVersion::Exact(1));
    STORE.append_batch(&mut appender, &guarded)?;

    let absence = AppendBatch::new()
        .append(&one, ExpectedVersion::Exact(2), event())
        .guard(&nobody, ExpectedVersion::NoStream);
    assert_not_permitted(STORE.append_batch(&mut appender, &absence).unwrap_err());
    database.connect()?.batch_execute(&format!("{GUARDIAN} {}", role.name))?;
    assert_eq!(STORE.append_batch(&mut appender, &absence)?.streams()[0].version(), 3);

    let keyed =
        AppendBatch::new().append(&one, ExpectedVersion::Exact(3), event()).idempotency_key("request");
    assert_not_permitted(STORE.append_batch(&mut appender, &keyed).unwrap_err());
    database.connect()?.batch_execute(&format!("{KEEPER_OF_KEYS} {}", role.name))?;
    STORE.append_batch(&mut appender, &keyed)?;
    assert!(STORE.append_batch(&mut appender, &keyed)?.is_repeat());
    Ok(())
}

#[test]
fn an_appender_keeps_snapshots() -> test_support::Result {
    let database = Postgres::migrated()?;
    let role = Role::create(&database, &APPENDER)?;
    let mut appender = role.connect()?;
    let refused = count_and_keep(&mut appender).unwrap_err();
    assert!(refused.to_string().contains("SELECT, INSERT and UPDATE on snapshots"), "{refused}");
    database.connect()?.batch_execute(&format!("{KEEPER_OF_SNAPSHOTS} {}", role.name))?;
    assert_eq!((count_and_keep(&mut appender)?, count_and_keep(&mut appender)?), (1, 2));
    Ok(())
}

#[test]
fn an_appender_deletes_old_keys_and_snapshots() -> test_support::Result {
    let database = Postgres::migrated()?;
    let role = Role::create(&database, &APPENDER)?;
    let mut admin = database.connect()?;
    for grant in [KEEPER_OF_SNAPSHOTS, KEEPER_OF_KEYS] {
        admin.batch_execute(&format!("{grant} {}", role.name))?;
    }
    let mut appender = role.connect()?;
    count_and_keep(&mut appender)?;
    assert_not_permitted(STORE.delete_old_snapshots::<KeptCounter>(&mut appender).unwrap_err());
    assert_not_permitted(STORE.delete_keys_before(&mut appender, Utc::now()).unwrap_err());
    admin.batch_execute(&format!("GRANT DELETE ON append_keys, snapshots TO {}", role.name))?;
    assert_eq!(STORE.delete_old_snapshots::<KeptCounter>(&mut appender)?, 0);
    assert_eq!(STORE.delete_keys_before(&mut appender, Utc::now())?, 0);
    Ok(())
}

#[test]
fn an_appender_without_the_sequence_is_told_so() -> test_support::Result {
    let database = Postgres::migrated()?;
    let role = Role::create(&database, &APPENDER[..2])?;
    assert_not_permitted(append_one(&mut role.connect()?, "Refused").unwrap_err());
    Ok(())
}

#[test]
fn a_publisher_publishes() -> test_support::Result {
    let database = Postgres::migrated()?;
    append_one(&mut database.connect()?, "There")?;
    let reader = Role::create(&database, &[READER])?;
    assert_not_permitted(STORE.publish_position(&mut reader.connect()?).unwrap_err());
    let publisher = Role::create(&database, &[READER, PUBLISHER])?;
    assert_eq!(STORE.publish_position(&mut publisher.connect()?)?.get(), 1);
    Ok(())
}

#[test]
fn a_projection_worker_applies() -> test_support::Result {
    let database = Postgres::migrated()?;
    append_one(&mut database.connect()?, "There")?;
    let nothing = || Projection::new("nothing", 1, |_conn: &mut PgConnection, _event| Ok(()));
    let reader = Role::create(&database, &[READER])?;
    match nothing().catch_up(&mut reader.connect()?) {
        Err(ProjectionError::Database(refused)) => assert_not_permitted(refused),
        other => panic!("{other:?}"),
    }
    let worker = Role::create(&database, &[READER, PROJECTION])?;
    let mut conn = worker.connect()?;
    assert_eq!(nothing().catch_up(&mut conn)?.applied(), 1);
    assert_eq!(projection::status(&mut conn)?.len(), 1);
    projection::reset(&mut conn, ("nothing", 1), |_| Ok::<_, ProjectionError>(()))?;
    Ok(())
}

/// As an application does that starts with the role that it runs with.
#[test]
fn a_role_that_may_create_nothing_finds_nothing_to_migrate() -> test_support::Result {
    let database = Postgres::migrated()?;
    let refused = Role::create(&database, &[])?;
    assert_not_permitted(run_pending_migrations(&mut refused.connect()?).unwrap_err());
    let starter = Role::create(&database, &[STARTER])?;
    assert!(run_pending_migrations(&mut starter.connect()?)?.is_empty());
    Ok(())
}

#[test]
fn a_reader_without_the_functions_is_told_so() -> test_support::Result {
    let database = Postgres::migrated()?;
    database.connect()?.batch_execute("REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC")?;
    let role = Role::create(&database, &[READER])?;
    let refused = Error::from(STORE.last_position(&mut role.connect()?).unwrap_err());
    assert!(refused.to_string().contains("EXECUTE on the functions"), "{refused}");
    assert_not_permitted(refused);
    Ok(())
}

#[test]
fn a_migrator_owns_the_tables() -> test_support::Result {
    let database = Postgres::create()?;
    let migrator = Role::create(&database, &[MIGRATOR])?;
    let mut conn = migrator.connect()?;
    run_pending_migrations(&mut conn)?;
    STORE.set_log_ordering(&mut conn, LogOrdering::Gapless)?;
    diesel_event_store::postgres::set_append_notifications(&mut conn, true)?;
    assert!(STORE.repair(&mut conn)?.is_nothing());
    append_one(&mut conn, "There")?;

    let other = Role::create(&database, &[MIGRATOR])?;
    let mut conn = other.connect()?;
    let refused = diesel_event_store::postgres::set_append_notifications(&mut conn, true).unwrap_err();
    assert_not_permitted(refused);
    Ok(())
}

/// Its own tables stand where a trigger of the store looks, and what they call says as whom.
const BAIT: &str = "CREATE TEMPORARY TABLE called (by_whom TEXT); GRANT ALL ON called TO PUBLIC; \
    CREATE TEMPORARY TABLE bait (global_position BIGINT); INSERT INTO bait VALUES (1); \
    CREATE FUNCTION pg_temp.call() RETURNS BOOLEAN LANGUAGE sql VOLATILE AS \
    $$ INSERT INTO pg_temp.called VALUES (current_user); SELECT true $$; \
    CREATE TEMPORARY VIEW events AS SELECT global_position FROM bait WHERE pg_temp.call(); \
    CREATE TEMPORARY VIEW event_rewrites AS SELECT global_position FROM bait WHERE pg_temp.call(); \
    GRANT SELECT, UPDATE ON events, event_rewrites TO PUBLIC";

/// Whoever can connect may create temporary tables.
#[test]
fn nobody_has_the_owner_of_the_store_run_code_of_theirs() -> test_support::Result {
    for function in ["events_refuse_delete", "event_rewrites_refuse_delete"] {
        let database = Postgres::migrated()?;
        let mut admin = database.connect()?;
        let role = Role::create(&database, &[])?;
        let mut plain = role.connect()?;
        plain.batch_execute(BAIT)?;
        let attach =
            format!("CREATE TRIGGER bites BEFORE DELETE ON bait FOR EACH ROW EXECUTE FUNCTION {function}()");
        assert_not_permitted(plain.batch_execute(&attach).unwrap_err());

        // As a dump without its privileges is restored, and as some scripts grant.
        admin.batch_execute("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO PUBLIC")?;
        plain.batch_execute(&attach)?;
        assert_not_permitted(plain.batch_execute("DELETE FROM bait").unwrap_err());
        let called = test_support::count(&mut plain, "called")?;
        assert_eq!((called, test_support::count(&mut plain, "bait")?), (0, 1), "{function}");
    }
    Ok(())
}

/// What each operation that reads answers.
fn answers(conn: &mut PgConnection, event: &RecordedEvent) -> [Result<bool, ReadError>; 6] {
    [
        STORE.read_forward(conn, Position::START, 10).map(|slice| !slice.is_empty()),
        STORE.last_position(conn).map(|position| position.get() > 0),
        STORE.read_stream(conn, event.stream(), ..).map(|stream| !stream.is_empty()),
        STORE.version(conn, event.stream()).map(|version| version > 0),
        STORE.read_event(conn, event.id()).map(|found| found.is_some()),
        STORE.iter_stream(conn, event.stream(), ..).next().transpose().map(|found| found.is_some()),
    ]
}

fn assert_unsuitable(refused: impl Into<Error>, what: &str) {
    let refused = refused.into();
    assert_eq!(kind(&refused), Some(DatabaseErrorKind::UnsuitableSetting), "{refused}");
    assert!(refused.to_string().contains(what), "{refused}");
}

/// What a policy hides would look as if it was never appended, and a reader would pass it.
#[test]
fn a_role_from_which_policies_may_hide_rows_is_refused() -> test_support::Result {
    for table in ["events", "event_rewrites", "aggregate_heads", "event_log"] {
        let database = Postgres::migrated()?;
        let mut admin = database.connect()?;
        append_one(&mut admin, "There")?;
        let event = STORE.read_forward(&mut admin, Position::START, 1)?.events()[0].clone();
        let role = Role::create(&database, &[&[READER], &APPENDER[..]].concat())?;
        let mut known = role.connect()?; // its statements are prepared
        assert!(answers(&mut known, &event).into_iter().all(|answer| matches!(answer, Ok(true))));

        admin.batch_execute(&format!(
            "CREATE POLICY of_a_tenant ON {table} USING (true); ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"
        ))?;
        let mut conn = role.connect()?;
        for refused in answers(&mut conn, &event) {
            assert_unsuitable(refused.expect_err("it may be hidden"), "BYPASSRLS");
        }
        assert_unsuitable(append_one(&mut conn, "Refused").unwrap_err(), "BYPASSRLS");
        if table == "events" {
            for (nth, refused) in answers(&mut known, &event).into_iter().enumerate() {
                assert!(refused.is_err() || nth == 3, "question {nth}, which does not concern the heads");
            }
            assert!(answers(&mut admin, &event).into_iter().all(|answer| matches!(answer, Ok(true))));
            admin.batch_execute(&format!("SET ROLE {}", role.name))?;
            assert_unsuitable(STORE.last_position(&mut admin).unwrap_err(), "BYPASSRLS");
            admin.batch_execute("RESET ROLE")?;
        }

        admin.batch_execute(&format!("ALTER ROLE {} BYPASSRLS", role.name))?;
        for conn in [&mut conn, &mut known] {
            assert!(answers(conn, &event).into_iter().all(|answer| matches!(answer, Ok(true))));
        }
        append_one(&mut conn, "Appended")?;
    }
    Ok(())
}
