//! The SQL that stands on the pages of `docs/`, run as its readers run it.

use diesel::QueryResult;
use diesel_event_store::{
    ConnectionRef, DatabaseError, DatabaseErrorKind, EventConnection, EventStore, ExpectedVersion, NewEvent,
    StreamId,
};
use test_support::{Result, TestDatabase, count, counted, execute, names, user};

tests! {
    an_aggregate_is_erased,
    an_event_is_masked,
    every_recipe_finds_something,
}

const STORE: EventStore = EventStore::new();

const ERASURE: &str = include_str!("../../docs/erasure.md");

const RECIPES: &str = include_str!("../../docs/sql.md");

fn an_aggregate_is_erased<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let (erased, other) = (customer("c-7")?, customer("c-8")?);
    for stream in [&erased, &other] {
        sign_up(&mut conn, stream)?;
    }

    let (script, guards) = (blocks_for(&mut conn, ERASURE)[0], guards(&mut conn)?);
    run(&mut conn, script)?;

    assert_eq!(self::guards(&mut conn)?, guards);
    assert_eq!(STORE.read_stream(&mut conn, &erased, ..)?.len(), 0);
    assert_eq!(STORE.read_stream(&mut conn, &other, ..)?.len(), 2);
    assert_eq!(count(&mut conn, "snapshots WHERE aggregate_id = 'c-7'")?, 0);
    assert_eq!(count(&mut conn, "snapshots WHERE aggregate_id = 'c-8'")?, 1);
    refuses(&mut conn, "DELETE FROM events")?;
    assert_eq!(STORE.append(&mut conn, &erased, ExpectedVersion::Exact(2), &counted(1)?)?.version(), 3);
    Ok(())
}

fn an_event_is_masked<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let masked = customer("c-8")?;
    sign_up(&mut conn, &masked)?;

    let (script, guards) = (blocks_for(&mut conn, ERASURE)[1], guards(&mut conn)?);
    run(&mut conn, script)?;

    assert_eq!(self::guards(&mut conn)?, guards);
    let stream = STORE.read_stream(&mut conn, &masked, ..)?;
    assert_eq!(stream.events()[0].payload_json(), r#"{"email":null}"#);
    assert_eq!(stream.events()[1].payload_json(), "1");
    assert_eq!(count(&mut conn, "snapshots")?, 0);
    refuses(&mut conn, "UPDATE events SET payload = '{}'")
}

fn every_recipe_finds_something<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    sign_up(&mut conn, &customer("c-7")?)?;
    STORE.append(&mut conn, &user("somebody else")?, ExpectedVersion::Any, &counted(2)?)?;
    execute(&mut conn, "CREATE TABLE customers (id VARCHAR(255) NOT NULL, email VARCHAR(255) NOT NULL)")?;
    execute(&mut conn, "INSERT INTO customers VALUES ('c-7', 'alice@example.com')")?;

    let recipes: Vec<&str> =
        blocks_for(&mut conn, RECIPES).iter().flat_map(|block| block.split_terminator(";\n")).collect();

    assert!(recipes.len() >= 5);
    for recipe in recipes {
        let found = count(&mut conn, &format!("({recipe}) AS recipe"));
        assert!(found.as_ref().is_ok_and(|rows| *rows > 0), "{recipe}: {found:?}");
    }
    Ok(())
}

fn customer(id: &str) -> Result<StreamId> {
    Ok(StreamId::new("Customer", id)?)
}

/// Two events with personal data, and a snapshot that has them.
fn sign_up<C: EventConnection>(conn: &mut C, stream: &StreamId) -> Result {
    let changed = NewEvent::from_json("EmailChanged", r#"{"email":"alice@example.com"}"#)?
        .correlation_id("request-4711");
    let counted = NewEvent::new("Counted", &1)?;
    let appended = STORE.append(conn, stream, ExpectedVersion::NoStream, &[changed, counted])?;
    let (id, last) = (stream.aggregate_id(), appended.events()[1].id());
    execute(conn, &format!("INSERT INTO snapshots VALUES ('', 'Customer', '{id}', 1, 2, '{last}', '{{}}')"))?;
    Ok(())
}

fn refuses<C: EventConnection>(conn: &mut C, sql: &str) -> Result {
    let refused = DatabaseError::from(execute(conn, sql).expect_err("the trigger is back"));
    assert_eq!(refused.kind(), DatabaseErrorKind::AppendOnly);
    Ok(())
}

/// The triggers that keep the log append-only, with what they do, however it is broken into lines and ended.
fn guards<C: EventConnection>(conn: &mut C) -> Result<Vec<String>> {
    let select = match conn.lend() {
        #[cfg(feature = "postgres")]
        ConnectionRef::Postgres(_) => {
            "SELECT concat_ws(' ', pg_get_triggerdef(oid), tgenabled) AS name FROM pg_trigger \
             WHERE NOT tgisinternal"
        }
        #[cfg(feature = "mysql")]
        ConnectionRef::Mysql(_) => {
            "SELECT CONCAT_WS(' ', trigger_name, action_timing, event_manipulation, event_object_table, \
             action_statement) AS name FROM information_schema.triggers WHERE trigger_schema = DATABASE()"
        }
        #[cfg(feature = "sqlite")]
        ConnectionRef::Sqlite(_) => "SELECT sql AS name FROM sqlite_master WHERE type = 'trigger'",
        _ => unreachable!("the suite does not know this database"),
    };
    let mut guards = names(conn, select)?;
    for guard in &mut guards {
        *guard = guard.split_whitespace().collect::<Vec<_>>().join(" ").trim_end_matches(';').to_owned();
    }
    guards.sort();
    assert!(guards.len() >= 5);
    Ok(guards)
}

/// The blocks of SQL below the heading of this database.
fn blocks_for<C: EventConnection>(conn: &mut C, page: &'static str) -> Vec<&'static str> {
    let heading = match conn.lend() {
        #[cfg(feature = "postgres")]
        ConnectionRef::Postgres(_) => "PostgreSQL\n",
        #[cfg(feature = "mysql")]
        ConnectionRef::Mysql(_) => "MySQL and MariaDB\n",
        #[cfg(feature = "sqlite")]
        ConnectionRef::Sqlite(_) => "SQLite\n",
        _ => unreachable!("the suite does not know this database"),
    };
    let section = page.split("\n## ").find(|section| section.starts_with(heading)).expect("a section");
    section.split("```sql\n").skip(1).filter_map(|block| block.split("```").next()).collect()
}

/// `DELIMITER` is for the command of MySQL, which otherwise ends a statement at each semicolon.
fn run<C: EventConnection>(conn: &mut C, script: &str) -> QueryResult<()> {
    let statements: Vec<&str> = script.lines().filter(|line| !line.starts_with("DELIMITER")).collect();
    execute(conn, &statements.join("\n").replace("//", ";"))
}
