//! Connections that something else holds.

use diesel::SqliteConnection;
use diesel_event_store::{EventConnection, event_connection};
use test_support::sqlite_file::SqliteFile;

use super::database::{append_one, stream};

enum AppConnection {
    Plain(SqliteConnection),
    Boxed(Box<SqliteConnection>),
}

event_connection!(AppConnection { Plain, Boxed });

#[test]
fn an_enum_may_hold_its_connection_in_a_box() {
    let database = SqliteFile::migrated();
    let mut plain = AppConnection::Plain(database.connect());
    let mut boxed = AppConnection::Boxed(Box::new(database.connect()));
    assert_eq!(append_one(&mut plain, &stream("1")), 1);
    assert_eq!(append_one(&mut boxed, &stream("1")), 2);
}

#[test]
fn a_connection_that_was_lent_is_lent_on() {
    let mut conn = SqliteFile::migrated().connect();
    let mut lent = conn.lend();
    assert_eq!(append_one(&mut lent, &stream("1")), 1);
    assert_eq!(append_one(&mut lent, &stream("1")), 2);
}
