//! What the doctor finds on PostgreSQL.

use test_support::{Postgres, TestDatabase, execute};

use super::advice::{advice, mends, told};
use super::run::answer;
use super::shop::append;

/// The servers of the tests do not write to the disk at each commit, which is told.
fn problems(url: &str) -> Vec<String> {
    told(url).into_iter().map(|(what, _)| what).filter(|what| !what.starts_with("fsync is off")).collect()
}

fn none() -> Vec<String> {
    Vec::new()
}

#[test]
fn what_the_migrations_have_made_has_to_be_there() {
    let db = Postgres::migrated().unwrap();
    let mut conn = db.connect().unwrap();
    append(&mut conn, "o-1", &["OrderPlaced"]);
    assert_eq!(problems(&db.url()), none());
    execute(&mut conn, "ALTER TABLE events DISABLE TRIGGER events_refuse_change").unwrap();
    mends(&db.url(), "a trigger is disabled");
    for (table, trigger) in [
        ("events", "events_refuse_change"),
        ("events", "events_refuse_delete"),
        ("event_rewrites", "event_rewrites_refuse_change"),
        ("event_rewrites", "event_rewrites_refuse_delete"),
        ("event_seals", "event_seals_refuse_change"),
    ] {
        execute(&mut conn, &format!("DROP TRIGGER {trigger} ON {table}")).unwrap();
        mends(&db.url(), &format!("the trigger {trigger} is missing"));
    }
    for table in ["append_keys", "parked_events", "projection_checkpoints"] {
        execute(&mut conn, &format!("DROP TABLE {table}")).unwrap();
        mends(&db.url(), &format!("the table {table} is missing"));
    }
    execute(&mut conn, "DROP TABLE __diesel_schema_migrations").unwrap();
    mends(&db.url(), "__diesel_schema_migrations does not say so");
    assert_eq!(answer(&db.url(), &["migrate"]), "the tables are up to date\n");
    assert_eq!(problems(&db.url()), none());
}

#[test]
fn settings_are_mended_where_they_were_made() {
    let db = Postgres::migrated().unwrap();
    let mut conn = db.connect().unwrap();
    let set = |setting: &str| {
        format!("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET {setting}', current_database()); END $$")
    };
    execute(&mut conn, &set("synchronous_commit = off")).unwrap();
    mends(&db.url(), "synchronous_commit is off");
    execute(&mut conn, &set("lc_messages = \"C.UTF-8\"")).unwrap();
    assert_eq!(problems(&db.url()), none(), "that is English");
    execute(&mut conn, &set("default_transaction_isolation = serializable")).unwrap();
    assert!(advice(&db.url(), "no position is published").contains("publish_position"));
}

#[test]
fn a_sequence_that_is_behind_is_found_and_left_there() {
    let db = Postgres::migrated().unwrap();
    let mut conn = db.connect().unwrap();
    append(&mut conn, "o-1", &["OrderPlaced", "OrderPaid", "OrderSent"]);
    execute(&mut conn, "SELECT setval('events_global_position_seq', 1)").unwrap();
    advice(&db.url(), "the sequence is behind the last event");
    assert_eq!(test_support::count(&mut conn, "events_global_position_seq WHERE last_value = 1").unwrap(), 1);
    mends(&db.url(), "the sequence is behind the last event");
    execute(&mut conn, "ALTER SEQUENCE events_global_position_seq CACHE 10").unwrap();
    mends(&db.url(), "CACHE 1 NO CYCLE");
    execute(&mut conn, "ALTER TABLE events ALTER global_position SET GENERATED ALWAYS").unwrap();
    mends(&db.url(), "global_position is GENERATED ALWAYS");
    execute(&mut conn, "ALTER TABLE events ALTER global_position DROP IDENTITY").unwrap();
    mends(&db.url(), "no sequence belongs to");
    assert_eq!(problems(&db.url()), none());
}

#[test]
fn a_role_is_told_what_it_lacks() {
    let db = Postgres::migrated().unwrap();
    let mut conn = db.connect().unwrap();
    append(&mut conn, "o-1", &["OrderPlaced"]);
    let (_, name) = db.url().rsplit_once('/').map(|(_, name)| ((), name.to_owned())).unwrap();
    let role = format!("it's {name}");
    let quoted = format!("\"{role}\"");
    execute(
        &mut conn,
        &format!(
            "CREATE ROLE {quoted} LOGIN; GRANT SELECT ON events, event_log TO {quoted}; \
             REVOKE SELECT ON SEQUENCE events_global_position_seq FROM PUBLIC"
        ),
    )
    .unwrap();
    let url = db.url().replacen("postgres@", &format!("it%27s%20{name}@"), 1);
    for what in ["this user may not read event_rewrites, aggregate_heads", "permission denied for sequence"] {
        super::advice::paste(&db.url(), &advice(&url, what));
    }
    assert_eq!(problems(&url), none());
    execute(&mut conn, &format!("DROP OWNED BY {quoted}; DROP ROLE {quoted}")).unwrap();
}

#[test]
fn roles_that_would_not_see_what_is_there_are_found() {
    let db = Postgres::migrated().unwrap();
    let mut conn = db.connect().unwrap();
    let (_, name) = db.url().rsplit_once('/').map(|(_, name)| ((), name.to_owned())).unwrap();
    let role = format!("reader of {name}");
    let create = format!(
        "CREATE ROLE \"{role}\" LOGIN; \
         GRANT SELECT ON ALL TABLES IN SCHEMA public TO \"{role}\"; \
         CREATE POLICY all_events ON events USING (true)"
    );
    execute(&mut conn, &create).unwrap();
    assert_eq!(problems(&db.url()), none());
    execute(&mut conn, "ALTER TABLE events ENABLE ROW LEVEL SECURITY").unwrap();
    let url = db.url().replacen("postgres@", &format!("{}@", role.replace(' ', "%20")), 1);
    super::advice::paste(&db.url(), &advice(&url, "row level security may hide rows"));
    assert_eq!(problems(&db.url()), none());

    execute(&mut conn, &format!("ALTER ROLE \"{role}\" SET client_encoding = 'LATIN1'")).unwrap();
    mends(&db.url(), "client_encoding is set to another one");
    execute(&mut conn, &format!("DROP OWNED BY \"{role}\"; DROP ROLE \"{role}\"")).unwrap();
}

/// Such as a dump that was restored into it, which runs no migration.
#[test]
fn another_encoding_is_found() {
    let db = Postgres::create().unwrap();
    let (server, name) =
        db.url().rsplit_once('/').map(|(server, name)| (server.to_owned(), name.to_owned())).unwrap();
    let mut conn = db.connect().unwrap();
    let other = format!("{name}_ascii");
    execute(
        &mut conn,
        &format!(
            "CREATE DATABASE {other} TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C' LOCALE_PROVIDER libc"
        ),
    )
    .or_else(|_| {
        execute(
            &mut conn,
            &format!("CREATE DATABASE {other} TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'"),
        )
    })
    .unwrap();
    let migration =
        include_str!("../../../../migrations/postgres/00000000000100-des_create_event_store/up.sql");
    let (_, tables) = migration.split_once("$$;").unwrap();
    let url = format!("{server}/{other}");
    super::advice::paste(&url, &format!("SQL: {tables}"));
    mends(&url, "__diesel_schema_migrations does not say so");
    assert!(advice(&url, "the database's encoding is not UTF8").contains("ENCODING 'UTF8'"));
    execute(&mut conn, &format!("DROP DATABASE {other}")).unwrap();
}
