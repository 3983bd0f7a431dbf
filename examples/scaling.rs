//! A projection is given more partitions while it runs and events are appended: `cargo run --example scaling`

use std::error::Error;
use std::thread;
use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel_event_store::projection::{self, Projection, Runner};
use diesel_event_store::{EventStore, ExpectedVersion, NewEvent, Position, StreamId, sqlite};

mod schema {
    diesel::table! {
        parcels (position) {
            position -> BigInt,
            customer -> Text,
            order_number -> BigInt,
        }
    }
}
use schema::parcels;

const CUSTOMERS: i64 = 40;
const ORDERS: i64 = 1_000;

/// An event that was applied twice would be refused by the table's key, and stop the partition.
fn packing(partitions: i32) -> Projection<SqliteConnection> {
    Projection::new("packing", 1, |conn: &mut SqliteConnection, event| {
        let row = (
            parcels::position.eq(event.position().get()),
            parcels::customer.eq(event.aggregate_id()),
            parcels::order_number.eq(event.payload::<i64>()?),
        );
        diesel::insert_into(parcels::table).values(row).execute(conn)?;
        Ok(())
    })
    .partitions(partitions)
    .batch_size(5)
    .lease(Duration::from_secs(3))
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("warehouse.db").display().to_string();
    let connect = move || -> ConnectionResult<SqliteConnection> {
        let mut conn = SqliteConnection::establish(&path)?;
        sqlite::Options::default().apply(&mut conn).expect("the settings can be applied");
        Ok(conn)
    };
    let mut conn = connect()?;
    diesel_event_store::run_pending_migrations(&mut conn)?;
    diesel::sql_query(
        "CREATE TABLE parcels \
         (position BIGINT PRIMARY KEY NOT NULL, customer TEXT NOT NULL, order_number BIGINT NOT NULL)",
    )
    .execute(&mut conn)?;

    let running = Runner::new(connect.clone()).projection(packing(2)).start()?;
    let mut appending = connect()?;
    let orders = thread::spawn(move || order(&mut appending).map_err(|error| error.to_string()));

    wait_until("a quarter is packed", || Ok(packed(&mut conn)? >= ORDERS / 4))?;
    assert_eq!(partitions(&mut conn)?, 2);
    projection::repartition(&mut conn, ("packing", 1), 4)?;
    println!("4 partitions are asked for when {} of {ORDERS} orders are packed", packed(&mut conn)?);
    wait_until("there are four partitions", || Ok(partitions(&mut conn)? == 4))?;
    println!("4 partitions have taken over when {} are packed", packed(&mut conn)?);

    let last = orders.join().expect("no panic")?;
    projection::wait_for(&mut conn, ("packing", 1), last, Duration::from_secs(60))?;
    running.stop()?; // would say what has gone wrong

    assert_eq!(packed(&mut conn)?, ORDERS);
    for customer in 0..CUSTOMERS {
        let numbers: Vec<i64> = parcels::table
            .filter(parcels::customer.eq(customer.to_string()))
            .order(parcels::position)
            .select(parcels::order_number)
            .load(&mut conn)?;
        let expected: Vec<i64> = (0..ORDERS).filter(|number| number % CUSTOMERS == customer).collect();
        assert_eq!(numbers, expected);
    }
    println!("✓ {ORDERS} orders, each packed once");
    Ok(())
}

fn order(conn: &mut SqliteConnection) -> Result<Position, Box<dyn Error>> {
    let mut last = Position::START;
    for number in 0..ORDERS {
        let customer = StreamId::new("Customer", number % CUSTOMERS)?;
        let ordered = [NewEvent::new("Ordered", &number)?];
        last = EventStore::new().append(conn, &customer, ExpectedVersion::Any, &ordered)?.last_position();
        thread::sleep(Duration::from_millis(1));
    }
    Ok(last)
}

fn packed(conn: &mut SqliteConnection) -> QueryResult<i64> {
    parcels::table.count().get_result(conn)
}

fn partitions(conn: &mut SqliteConnection) -> Result<usize, Box<dyn Error>> {
    Ok(projection::status(conn)?.first().map_or(0, |packing| packing.partitions().len()))
}

fn wait_until(
    what: &str,
    mut is_so: impl FnMut() -> Result<bool, Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let end = Instant::now() + Duration::from_secs(60);
    while !is_so()? {
        if Instant::now() > end {
            return Err(format!("after a minute: not yet true that {what}").into());
        }
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}
