//! Statements that commit without saying so.

use diesel::mysql::MysqlConnection;
use diesel_event_store::ExpectedVersion;
use diesel_event_store::projection::{Projection, ProjectionError};
use test_support::{Result, app_rows, counted, create_app_rows, execute, insert_app_row, user};

use super::database::{Database, STORE, append};

/// What it has committed would be there twice.
#[test]
fn a_handler_that_sends_ddl_and_loses_a_race_is_not_called_again() -> Result {
    let db = Database::migrated()?;
    let mut conn = db.connect()?;
    create_app_rows(&mut conn)?;
    append(&mut conn, "alice")?;
    let (bob, one) = (user("bob")?, counted(1)?);
    let users = Projection::new("users", 1, move |conn: &mut MysqlConnection, _event| {
        insert_app_row(conn, "row")?;
        let lost = STORE.append(conn, &bob, ExpectedVersion::Exact(99), &one).expect_err("nobody is there");
        execute(conn, "CREATE TABLE IF NOT EXISTS more_rows (name VARCHAR(50))")?;
        Err(lost.into())
    });
    let stopped = users.catch_up(&mut conn);
    assert!(matches!(stopped, Err(ProjectionError::TransactionEnded { .. })), "{stopped:?}");
    assert_eq!(app_rows(&mut db.connect()?)?, ["row"]);
    Ok(())
}
