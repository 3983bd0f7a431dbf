//! Several read models of one log in one runner, each with its own checkpoint:
//! `cargo run --example multiple_projections`

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel_event_store::projection::{self, OnFailure, Projection, Runner};
use diesel_event_store::{EventStore, ExpectedVersion, NewEvent, Position, StreamId, sqlite};

mod schema {
    diesel::table! {
        customers (id) {
            id -> Text,
            name -> Text,
        }
    }
    diesel::table! {
        sales (order_id) {
            order_id -> Text,
            cents -> BigInt,
        }
    }
}
use schema::{customers, sales};

fn customers() -> Projection<SqliteConnection> {
    Projection::new("customers", 1, |conn: &mut SqliteConnection, event| {
        let row = (customers::id.eq(event.aggregate_id()), customers::name.eq(event.payload::<String>()?));
        diesel::insert_into(customers::table).values(row).execute(conn)?;
        Ok(())
    })
    .event_types(["CustomerCame"])
}

/// One statement per batch, whatever its size.
fn sales() -> Projection<SqliteConnection> {
    Projection::in_batches("sales", 1, |conn: &mut SqliteConnection, events| {
        let row = |event: &diesel_event_store::RecordedEvent| {
            Ok((
                sales::order_id.eq(event.aggregate_id().to_owned()),
                sales::cents.eq(event.payload::<i64>()?),
            ))
        };
        let rows = events.iter().map(row).collect::<Result<Vec<_>, diesel_event_store::DecodeError>>()?;
        diesel::insert_into(sales::table).values(rows).execute(conn)?;
        Ok(())
    })
    .event_types(["OrderPlaced"])
}

/// Needs no table. A greeting that fails is skipped: it is not worth stopping for.
fn greetings() -> Projection<SqliteConnection> {
    Projection::new("greetings", 1, |_conn: &mut SqliteConnection, event| {
        println!("Welcome, {}!", event.payload::<String>()?);
        Ok(())
    })
    .event_types(["CustomerCame"])
    .on_failure(OnFailure::Skip)
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("shop.db");
    let mut conn = open(&path)?;
    diesel_event_store::run_pending_migrations(&mut conn)?;
    conn.batch_execute(
        "CREATE TABLE customers (id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL);
         CREATE TABLE sales (order_id TEXT PRIMARY KEY NOT NULL, cents BIGINT NOT NULL)",
    )?;

    let running = Runner::new(move || open(&path))
        .projection(customers())
        .projection(sales())
        .projection(greetings())
        .start()?;
    append(&mut conn, "Customer", "alice", NewEvent::new("CustomerCame", "Alice")?)?;
    append(&mut conn, "Order", "1", NewEvent::new("OrderPlaced", &12_50)?)?;
    append(&mut conn, "Order", "2", NewEvent::new("OrderPlaced", &7_50)?)?;
    let last = append(&mut conn, "Customer", "bob", NewEvent::new("CustomerCame", "Bob")?)?;

    for status in projection::status(&mut conn)? {
        projection::wait_for(&mut conn, status.projection(), last, Duration::from_secs(60))?;
    }
    let statuses = projection::status(&mut conn)?;
    for status in &statuses {
        println!(
            "{:9} has applied everything up to position {}",
            status.projection().name(),
            status.position()
        );
        assert!(status.is_healthy());
    }
    running.stop()?;

    let guests: i64 = customers::table.select(count_star()).get_result(&mut conn)?;
    let orders: i64 = sales::table.select(count_star()).get_result(&mut conn)?;
    assert_eq!((statuses.len(), guests, orders), (3, 2, 2));
    println!("✓ {guests} customers, {orders} orders");
    Ok(())
}

fn append(
    conn: &mut SqliteConnection,
    aggregate_type: &str,
    id: &str,
    event: NewEvent,
) -> Result<Position, Box<dyn Error>> {
    let stream = StreamId::new(aggregate_type, id)?;
    Ok(EventStore::new().append(conn, &stream, ExpectedVersion::Any, &[event])?.last_position())
}

fn open(path: &Path) -> ConnectionResult<SqliteConnection> {
    let mut conn = SqliteConnection::establish(&path.to_string_lossy())?;
    sqlite::Options::default().apply(&mut conn).expect("the settings can be applied");
    Ok(conn)
}
