//! A read model that is kept up to date and continues where it was after a restart:
//! `cargo run --example projection`

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use diesel::prelude::*;
use diesel_event_store::projection::{self, Projection, Runner, RunnerHandle};
use diesel_event_store::{EventStore, ExpectedVersion, NewEvent, Position, StreamId, sqlite};

mod schema {
    diesel::table! {
        balances (account) {
            account -> Text,
            cents -> BigInt,
            events -> BigInt,
        }
    }
}
use schema::balances;

/// Row and checkpoint commit together, so a crash at any moment neither loses nor repeats a deposit.
fn balances() -> Projection<SqliteConnection> {
    Projection::new("balances", 1, |conn: &mut SqliteConnection, event| {
        let cents: i64 = event.payload()?;
        diesel::insert_into(balances::table)
            .values((
                balances::account.eq(event.aggregate_id()),
                balances::cents.eq(cents),
                balances::events.eq(1),
            ))
            .on_conflict(balances::account)
            .do_update()
            .set((balances::cents.eq(balances::cents + cents), balances::events.eq(balances::events + 1)))
            .execute(conn)?;
        Ok(())
    })
    .event_types(["Deposited"])
}

fn start(path: &Path) -> Result<RunnerHandle, Box<dyn Error>> {
    let path = path.to_owned();
    let progress = |progress: &projection::Progress| {
        println!("  applied {} events, now at position {}", progress.applied(), progress.position());
    };
    Ok(Runner::new(move || open(&path)).projection(balances()).on_progress(progress).start()?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("bank.db");
    let mut conn = open(&path)?;
    diesel_event_store::run_pending_migrations(&mut conn)?;
    diesel::sql_query(
        "CREATE TABLE balances (account TEXT PRIMARY KEY NOT NULL, cents BIGINT NOT NULL, events BIGINT NOT NULL)",
    )
    .execute(&mut conn)?;

    println!("The runner follows the log:");
    let running = start(&path)?;
    deposit(&mut conn, "alice", 10_00)?;
    let second = deposit(&mut conn, "bob", 5_00)?;
    // Read your own writes: wait until the read model has applied the second deposit.
    projection::wait_for(&mut conn, ("balances", 1), second, Duration::from_secs(60))?;
    assert_eq!(rows(&mut conn)?, [("alice".into(), 10_00, 1), ("bob".into(), 5_00, 1)]);
    running.stop()?;

    println!("It stops, another deposit is made, and it starts again:");
    let third = deposit(&mut conn, "alice", 2_50)?;
    let running = start(&path)?;
    projection::wait_for(&mut conn, ("balances", 1), third, Duration::from_secs(60))?;
    running.stop()?;

    assert_eq!(rows(&mut conn)?, [("alice".into(), 12_50, 2), ("bob".into(), 5_00, 1)]);
    println!("✓ Each deposit is counted once: {:?}", rows(&mut conn)?);
    Ok(())
}

fn deposit(conn: &mut SqliteConnection, account: &str, cents: i64) -> Result<Position, Box<dyn Error>> {
    let deposited = [NewEvent::new("Deposited", &cents)?];
    let account = StreamId::new("Account", account)?;
    Ok(EventStore::new().append(conn, &account, ExpectedVersion::Any, &deposited)?.last_position())
}

fn rows(conn: &mut SqliteConnection) -> QueryResult<Vec<(String, i64, i64)>> {
    balances::table.order(balances::account).load(conn)
}

fn open(path: &Path) -> ConnectionResult<SqliteConnection> {
    let mut conn = SqliteConnection::establish(&path.to_string_lossy())?;
    sqlite::Options::default().apply(&mut conn).expect("the settings can be applied");
    Ok(conn)
}
