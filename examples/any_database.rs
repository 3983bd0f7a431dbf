//! The same function on every database; the connection string decides which: `cargo run --features
//! postgres,mysql --example any_database -- shop.db postgres://localhost/shop mysql://root@localhost/shop`

mod shared;

use std::env;
use std::error::Error;

use diesel::prelude::*;
use diesel_event_store::{event_connection, sqlite};

/// The application's own connection type: one program for all its databases.
#[derive(diesel::MultiConnection)]
enum AppConnection {
    Postgres(PgConnection),
    Mysql(MysqlConnection),
    Sqlite(SqliteConnection),
}

event_connection!(AppConnection { Postgres, Mysql, Sqlite });

/// Chooses by the URL's scheme. `AppConnection::establish` would try one database after the other, and SQLite
/// takes any text for a file name.
fn connect(url: &str) -> Result<AppConnection, Box<dyn Error>> {
    match url.split_once("://") {
        Some(("postgres" | "postgresql", _)) => Ok(AppConnection::Postgres(PgConnection::establish(url)?)),
        Some(("mysql", _)) => Ok(AppConnection::Mysql(MysqlConnection::establish(url)?)),
        _ => {
            let mut conn = SqliteConnection::establish(url)?;
            sqlite::Options::default().apply(&mut conn)?;
            Ok(AppConnection::Sqlite(conn))
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let urls: Vec<String> = env::args().skip(1).collect();
    if urls.is_empty() {
        return Err("name one or more databases: a file, postgres://… or mysql://…".into());
    }
    for url in urls {
        println!("\n##### {} #####\n", url.split("://").next().unwrap_or(&url));
        shared::run(&mut connect(&url)?)?;
    }
    Ok(())
}
