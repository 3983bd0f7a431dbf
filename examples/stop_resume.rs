//! A handler fails and its projection stops. After a fix it continues with the same event:
//! `cargo run --example stop_resume`

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use diesel::prelude::*;
use diesel_event_store::projection::{
    self, HandlerError, Projection, ProjectionError, ProjectionState, Runner,
};
use diesel_event_store::{EventStore, ExpectedVersion, NewEvent, Position, StreamId, sqlite};

mod schema {
    diesel::table! {
        ages (name) {
            name -> Text,
            age -> BigInt,
        }
    }
}
use schema::ages;

/// The first version of the handler believes that every age is a number.
fn with_numbers() -> Projection<SqliteConnection> {
    projection(|age| Ok(age.parse()?))
}

/// The fixed version also reads words.
fn with_words() -> Projection<SqliteConnection> {
    projection(|age| if age == "ninety" { Ok(90) } else { Ok(age.parse()?) })
}

fn projection(
    read: impl Fn(&str) -> Result<i64, HandlerError> + Send + Sync + 'static,
) -> Projection<SqliteConnection> {
    Projection::new("ages", 1, move |conn: &mut SqliteConnection, event| {
        let age = read(&event.payload::<String>()?)?;
        let row = (ages::name.eq(event.aggregate_id()), ages::age.eq(age));
        diesel::insert_into(ages::table).values(row).execute(conn)?;
        Ok(())
    })
    .retries(1, Duration::from_millis(10))
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("people.db");
    let mut conn = open(&path)?;
    diesel_event_store::run_pending_migrations(&mut conn)?;
    diesel::sql_query("CREATE TABLE ages (name TEXT PRIMARY KEY NOT NULL, age BIGINT NOT NULL)")
        .execute(&mut conn)?;
    append(&mut conn, "alice", "31")?;
    append(&mut conn, "bob", "ninety")?;
    let carol = append(&mut conn, "carol", "7")?;

    // The event before Bob's is applied. His own and everything after it are not, and the projection has
    // stopped.
    let connect = move || open(&path);
    let running = Runner::new(connect.clone()).projection(with_numbers()).start()?;
    let failed = projection::wait_for(&mut conn, ("ages", 1), carol, Duration::from_secs(60));
    assert!(matches!(failed, Err(ProjectionError::HasFailed { .. })), "{failed:?}");
    assert_eq!(rows(&mut conn)?, [("alice".into(), 31)]);
    let why = running.stop().expect_err("the projection has failed");
    println!("It has stopped: {why}");

    // The status shows it to the operator.
    let status = &projection::status(&mut conn)?[0];
    assert!(!status.is_healthy());
    assert_eq!(status.partitions()[0].state(), ProjectionState::Failed);

    // Deploy the fixed handler. The projection stays stopped until the operator resumes it, and the runner
    // says so.
    let running = Runner::new(connect).projection(with_words()).start()?;
    let told = running.failures();
    assert!(matches!(told[..], [ProjectionError::HasFailed { .. }]), "{told:?}");
    assert!(!running.is_healthy());
    assert_eq!(rows(&mut conn)?, [("alice".into(), 31)]);
    projection::resume(&mut conn, ("ages", 1))?;
    projection::wait_for(&mut conn, ("ages", 1), carol, Duration::from_secs(60))?;
    running.stop()?;

    assert_eq!(rows(&mut conn)?, [("alice".into(), 31), ("bob".into(), 90), ("carol".into(), 7)]);
    println!("✓ Fixed and resumed, nothing is lost: {:?}", rows(&mut conn)?);
    Ok(())
}

fn append(conn: &mut SqliteConnection, name: &str, age: &str) -> Result<Position, Box<dyn Error>> {
    let told = [NewEvent::new("AgeTold", age)?];
    let person = StreamId::new("Person", name)?;
    Ok(EventStore::new().append(conn, &person, ExpectedVersion::NoStream, &told)?.last_position())
}

fn rows(conn: &mut SqliteConnection) -> QueryResult<Vec<(String, i64)>> {
    ages::table.order(ages::name).load(conn)
}

fn open(path: &Path) -> ConnectionResult<SqliteConnection> {
    let mut conn = SqliteConnection::establish(&path.to_string_lossy())?;
    sqlite::Options::default().apply(&mut conn).expect("the settings can be applied");
    Ok(conn)
}
