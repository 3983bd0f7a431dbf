//! A small shop: typed events of which one has an older version, commands that also write rows of the shop's
//! own, requests that come twice, a read model, and tests without a database:
//! `cargo run --features derive --example order_service`
//! `cargo test --features derive --example order_service`

mod open_orders;
mod order;
mod shop;
#[cfg(test)]
mod tests;

use std::error::Error;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_event_store::{EventStore, ExpectedVersion, NewEvent, StreamId, sqlite};
use shop::ShopError;

mod schema {
    diesel::table! {
        stock (article) {
            article -> Text,
            cents -> BigInt,
            pieces -> Integer,
        }
    }
    diesel::table! {
        open_orders (id) {
            id -> Text,
            customer -> Text,
            cents -> BigInt,
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let mut conn = SqliteConnection::establish(&folder.path().join("shop.db").to_string_lossy())?;
    open_the_shop(&mut conn)?;
    let orders = open_orders::projection();

    // An order that the first release has recorded is read as the newest version.
    let old = NewEvent::from_json("OrderPlaced", r#"{"customer":"Ann","euros":12}"#)?;
    EventStore::new().append(
        &mut conn,
        &StreamId::new("Order", "o-1")?,
        ExpectedVersion::NoStream,
        &[old],
    )?;
    shop::pay(&mut conn, "request-1", "o-1", 1200)?;

    // The answer is lost, and the client sends its request again.
    assert!(!shop::place(&mut conn, "request-2", "o-2", "Bob", "tea")?);
    assert!(shop::place(&mut conn, "request-2", "o-2", "Bob", "tea")?);
    assert_eq!(pieces(&mut conn)?, 1);

    // A request that is refused leaves nothing behind, neither events nor rows.
    shop::place(&mut conn, "request-3", "o-3", "Cleo", "tea")?;
    let refused = shop::place(&mut conn, "request-4", "o-4", "Dan", "tea").expect_err("there is no tea left");
    assert!(matches!(refused, ShopError::SoldOut(_)));
    let late = shop::place(&mut conn, "request-5", "o-2", "Bob", "tea").expect_err("it is placed already");
    println!("o-4: {refused}. o-2: {late}.");

    assert_eq!(orders.catch_up(&mut conn)?.applied(), 4);
    let expected = [("o-2", "Bob", 450), ("o-3", "Cleo", 450)];
    assert_eq!(open_orders::all(&mut conn)?, expected.map(|(id, who, cents)| (id.into(), who.into(), cents)));

    shop::pay(&mut conn, "request-6", "o-2", 450)?;
    orders.catch_up(&mut conn)?;
    let open = open_orders::all(&mut conn)?;
    assert_eq!(open.len(), 1);
    println!("✓ Still to be paid: {open:?}");
    Ok(())
}

fn open_the_shop(conn: &mut SqliteConnection) -> Result<(), Box<dyn Error>> {
    sqlite::Options::default().apply(conn)?;
    diesel_event_store::run_pending_migrations(conn)?;
    conn.batch_execute(
        "CREATE TABLE stock (article TEXT PRIMARY KEY, cents BIGINT NOT NULL, pieces INTEGER NOT NULL);
         CREATE TABLE open_orders (id TEXT PRIMARY KEY, customer TEXT NOT NULL, cents BIGINT NOT NULL);
         INSERT INTO stock VALUES ('tea', 450, 2)",
    )?;
    Ok(())
}

fn pieces(conn: &mut SqliteConnection) -> QueryResult<i32> {
    schema::stock::table.select(schema::stock::pieces).first(conn)
}
