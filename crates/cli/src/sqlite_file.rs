//! How a file of SQLite is opened. Its journal mode is kept in the file, and is the choice of whoever created
//! it: a write-ahead log does not work on a network file system, for instance.

use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use diesel_event_store::sqlite::Options;

use crate::failure::Result;

/// What `Options` has by default for a connection, and nothing for the file.
const SETTINGS: &str = "PRAGMA busy_timeout = 5000; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON";

/// `None` if there is no such file, and none is made.
pub fn open(path: &str) -> Result<Option<SqliteConnection>> {
    let conn = match path.starts_with("file:") {
        true => SqliteConnection::establish(&existing(path)).ok(),
        false if Path::new(path).exists() => Some(SqliteConnection::establish(path)?),
        false => None,
    };
    let set = |mut conn: SqliteConnection| conn.batch_execute(SETTINGS).map(|()| conn);
    Ok(conn.map(set).transpose()?)
}

/// The URI, which makes no file any more.
fn existing(uri: &str) -> String {
    let uri = uri.split('#').next().unwrap_or(uri);
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    let mut options: Vec<&str> = query.split('&').filter(|option| !option.is_empty()).collect();
    options.retain(|option| *option != "mode=rwc");
    if !options.iter().any(|option| option.starts_with("mode=")) {
        options.push("mode=rw");
    }
    format!("{path}?{}", options.join("&"))
}

/// A new file, with a write-ahead log.
pub fn create(path: &str) -> Result<SqliteConnection> {
    let mut conn = SqliteConnection::establish(path)?;
    Options::default().apply(&mut conn)?;
    Ok(conn)
}
