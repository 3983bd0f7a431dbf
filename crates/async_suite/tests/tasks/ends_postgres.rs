//! How a transaction of the application's may not end on PostgreSQL.

use async_suite::{
    AsyncPostgres, EventConnection, EventStore, Result, TestDatabase, counted, execute, user,
    write_transaction,
};
use real::ExpectedVersion::NoStream;
use real::{DatabaseErrorKind, Error};

fn append<C: EventConnection>(conn: &mut C, name: &str) -> Result<i64, Error> {
    Ok(EventStore::new().append(conn, &user(name)?, NoStream, &counted(1).expect("it is JSON"))?.version())
}

/// PostgreSQL answers the COMMIT of an aborted transaction with success.
#[test]
fn what_goes_on_after_an_error_is_not_reported_as_committed_postgres() -> Result {
    let database = AsyncPostgres::migrated()?;
    let mut conn = database.connect()?;
    let outcome = write_transaction(&mut conn, |conn| {
        let version = append(conn, "alice")?;
        execute(conn, "SELECT 1/0").expect_err("that is no number");
        Ok::<_, Error>(version)
    });
    let refused = outcome.expect_err("nothing was committed").to_string();
    assert!(refused.contains("current transaction is aborted"), "{refused}");
    assert_eq!(write_transaction(&mut conn, |conn| append(conn, "alice"))?, 1);
    assert_eq!(EventStore::new().version(&mut database.connect()?, &user("alice")?)?, 1);
    Ok(())
}

/// A deferred constraint is checked by the COMMIT itself.
#[test]
fn a_commit_that_fails_leaves_no_transaction_open_postgres() -> Result {
    let database = AsyncPostgres::migrated()?;
    let mut conn = database.connect()?;
    execute(&mut conn, "CREATE TABLE once (n INT UNIQUE DEFERRABLE INITIALLY DEFERRED)")?;
    let refused = write_transaction(&mut conn, |conn| -> Result {
        append(conn, "alice")?;
        Ok(execute(conn, "INSERT INTO once VALUES (1), (1)")?)
    });
    assert!(refused.unwrap_err().to_string().contains("duplicate key"));
    append(&mut conn, "alice")?;
    assert_eq!(EventStore::new().version(&mut database.connect()?, &user("alice")?)?, 1);
    Ok(())
}

#[test]
fn a_transaction_that_was_begun_with_sql_stays_the_applications_postgres() -> Result {
    let database = AsyncPostgres::migrated()?;
    let mut conn = database.connect()?;
    execute(&mut conn, "BEGIN")?;
    append(&mut conn, "alice")?;
    let refused = write_transaction(&mut conn, |conn| append(conn, "bob")).unwrap_err();
    let Error::Database(refused) = refused else { panic!("{refused:?}") };
    assert_eq!(refused.kind(), DatabaseErrorKind::ForeignTransaction);
    let mut other = database.connect()?;
    assert_eq!(EventStore::new().version(&mut other, &user("alice")?)?, 0, "it is still open");
    execute(&mut conn, "COMMIT")?;
    assert_eq!(EventStore::new().version(&mut other, &user("alice")?)?, 1);
    Ok(())
}

#[test]
fn inside_another_transaction_only_its_own_part_is_rolled_back_postgres() -> Result {
    let database = AsyncPostgres::migrated()?;
    let mut conn = database.connect()?;
    write_transaction(&mut conn, |conn| {
        append(conn, "alice")?;
        let refused = write_transaction(conn, |conn| {
            append(conn, "bob")?;
            execute(conn, "SELECT 1/0").expect_err("that is no number");
            Ok::<_, Error>(())
        });
        refused.expect_err("its part is not there");
        append(conn, "carol")
    })?;
    let mut other = database.connect()?;
    for (name, version) in [("alice", 1), ("bob", 0), ("carol", 1)] {
        assert_eq!(EventStore::new().version(&mut other, &user(name)?)?, version, "{name}");
    }
    Ok(())
}
