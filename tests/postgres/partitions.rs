//! Partitions whose rows are locked when they are to be given back.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_event_store::projection::{Projection, Runner, RunnerHandle};
use test_support::disturbed::{stop, was_locked};
use test_support::{self, Postgres, TestDatabase, count, eventually};

const NAME: &str = "orders";

/// With a lease of which a third is longer than any test waits, and connections that wait for no lock.
fn start(database: &Postgres, worker: &str) -> test_support::Result<RunnerHandle> {
    let url = database.url();
    let projection = Projection::new(NAME, 1, |_conn: &mut PgConnection, _event| Ok(()))
        .partitions(2)
        .lease(Duration::from_secs(3600));
    let connect = move || -> test_support::Result<_> {
        let mut conn = PgConnection::establish(&url)?;
        conn.batch_execute("SET lock_timeout = '20ms'")?;
        Ok(conn)
    };
    Ok(Runner::new(connect).name(worker).projection(projection).start()?)
}

fn owned_by(conn: &mut PgConnection, worker: &str) -> test_support::Result<i64> {
    Ok(count(conn, &format!("projection_checkpoints WHERE owner LIKE '{worker} %'"))?)
}

#[test]
fn one_that_could_not_be_given_back_is_given_back_as_soon_as_it_can_be() -> test_support::Result {
    let database = Postgres::migrated()?;
    let (mut conn, mut holder) = (database.connect()?, database.connect()?);
    let one = start(&database, "one")?;
    eventually("one has both", || Ok(owned_by(&mut conn, "one")? == 2))?;
    holder.batch_execute("BEGIN; SELECT FROM projection_checkpoints FOR UPDATE")?;
    let other = start(&database, "other")?;
    eventually("the lock is in the way", || Ok(one.failures().iter().any(was_locked)))?;
    assert_eq!(owned_by(&mut conn, "one")?, 2);

    holder.batch_execute("COMMIT")?;
    eventually(
        "each has one",
        || Ok(owned_by(&mut conn, "one")? == 1 && owned_by(&mut conn, "other")? == 1),
    )?;
    stop(one);
    stop(other);
    assert_eq!(count(&mut conn, "projection_checkpoints WHERE owner IS NOT NULL")?, 0);
    Ok(())
}
