//! Append events, read the whole log, read one aggregate, on PostgreSQL:
//! `DATABASE_URL=postgres://localhost/shop cargo run --features postgres --example postgres_basic`

mod shared;

use std::env;
use std::error::Error;

use diesel::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    let url = env::var("DATABASE_URL")
        .map_err(|_| "DATABASE_URL is not set, for example postgres://localhost/shop")?;
    shared::run(&mut PgConnection::establish(&url)?)
}
