//! PostgreSQL aborts a transaction at the first error, and answers its COMMIT with success all the same.

use diesel::prelude::*;
use diesel_event_store::projection::{self, Projection, ProjectionError};
use diesel_event_store::{Error, EventStore, StreamId, write_transaction};
use test_support::witness::append_one;
use test_support::{self, Postgres, TestDatabase};

const STORE: EventStore = EventStore::new();

fn swallow_an_error(conn: &mut PgConnection) {
    diesel::sql_query("SELECT 1/0").execute(conn).expect_err("that is no number");
}

fn append_and_swallow_an_error(conn: &mut PgConnection) -> Result<(), Error> {
    append_one(conn, "Lost")?;
    swallow_an_error(conn);
    Ok(())
}

fn assert_aborted(refused: Result<(), impl ToString>) {
    let refused = refused.map_err(|error| error.to_string()).expect_err("nothing was committed");
    assert!(refused.contains("current transaction is aborted"), "{refused}");
}

/// Nothing of it is there, and the connection can be used.
fn assert_nothing_is_kept(conn: &mut PgConnection) -> test_support::Result {
    assert_eq!(STORE.version(conn, &StreamId::new("Alone", "Lost")?)?, 0);
    append_one(conn, "After")?;
    Ok(())
}

#[test]
fn a_transaction_that_goes_on_after_an_error_is_not_reported_as_committed() -> test_support::Result {
    for is_run_again in [false, true] {
        let database = Postgres::migrated()?;
        let mut conn = database.connect()?;
        assert_aborted(match is_run_again {
            true => STORE.transaction(&mut conn, append_and_swallow_an_error),
            false => write_transaction(&mut conn, append_and_swallow_an_error),
        });
        assert_nothing_is_kept(&mut conn)?;
        assert_eq!(test_support::count(&mut database.connect()?, "events")?, 1, "it is committed at once");
    }
    Ok(())
}

#[test]
fn inside_another_transaction_only_its_own_part_is_rolled_back() -> test_support::Result {
    let database = Postgres::migrated()?;
    let mut conn = database.connect()?;
    write_transaction(&mut conn, |conn| -> test_support::Result {
        append_one(conn, "Kept")?;
        assert_aborted(write_transaction(conn, append_and_swallow_an_error));
        Ok(())
    })?;
    assert_eq!(test_support::count(&mut database.connect()?, "events")?, 1);
    assert_nothing_is_kept(&mut conn)
}

/// A deferred constraint is checked by the COMMIT itself.
#[test]
fn a_commit_that_fails_leaves_no_transaction_open() -> test_support::Result {
    let database = Postgres::migrated()?;
    let mut conn = database.connect()?;
    diesel::sql_query("CREATE TABLE once (n INT UNIQUE DEFERRABLE INITIALLY DEFERRED)").execute(&mut conn)?;
    let refused = write_transaction(&mut conn, |conn| -> Result<(), Error> {
        append_one(conn, "Lost")?;
        diesel::sql_query("INSERT INTO once VALUES (1), (1)").execute(conn).map_err(Error::from)?;
        Ok(())
    });
    assert!(refused.unwrap_err().to_string().contains("duplicate key"));
    assert_nothing_is_kept(&mut conn)?;
    assert_eq!(test_support::count(&mut database.connect()?, "events")?, 1);
    Ok(())
}

#[test]
fn a_projection_is_not_reset_and_not_promoted() -> test_support::Result {
    let database = Postgres::migrated()?;
    let mut conn = database.connect()?;
    append_one(&mut conn, "There")?;
    for version in [1, 2] {
        let nothing = Projection::new("nothing", version, |_conn: &mut PgConnection, _event| Ok(()));
        assert_eq!(nothing.catch_up(&mut conn)?.applied(), 1);
    }
    let swallow = |conn: &mut PgConnection| -> Result<(), ProjectionError> {
        swallow_an_error(conn);
        Ok(())
    };
    assert_aborted(projection::reset(&mut conn, ("nothing", 2), swallow));
    assert_aborted(projection::promote(&mut conn, ("nothing", 2), swallow));
    let untouched = "projection_checkpoints WHERE state = 'active' AND last_global_position = 1";
    assert_eq!(test_support::count(&mut conn, untouched)?, 2);
    assert_nothing_is_kept(&mut conn)
}
