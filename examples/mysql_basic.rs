//! Append events, read the whole log, read one aggregate, on MySQL or MariaDB:
//! `DATABASE_URL=mysql://root@localhost/shop cargo run --features mysql --example mysql_basic`

mod shared;

use std::env;
use std::error::Error;

use diesel::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    let url = env::var("DATABASE_URL")
        .map_err(|_| "DATABASE_URL is not set, for example mysql://root@localhost/shop")?;
    shared::run(&mut MysqlConnection::establish(&url)?)
}
