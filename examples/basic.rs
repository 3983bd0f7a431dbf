//! Append events, read the whole log, read one aggregate, on SQLite: `cargo run --example basic`

mod shared;

use std::error::Error;

use diesel::prelude::*;
use diesel_event_store::sqlite;

const DATABASE: &str = "event_store_example.db";

fn main() -> Result<(), Box<dyn Error>> {
    let mut conn = SqliteConnection::establish(DATABASE)?;
    sqlite::Options::default().apply(&mut conn)?;
    shared::run(&mut conn)?;
    println!("Database saved to: {}", std::path::absolute(DATABASE)?.display());
    Ok(())
}
