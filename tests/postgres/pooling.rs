//! One connection to the server for many clients, as a pooler such as PgBouncer lends it: a transaction at a
//! time.

use diesel::connection::{CacheSize, Connection, SimpleConnection};
use test_support::witness::{Tail, append_one, begin, commit};
use test_support::{self, Postgres, TestDatabase};

/// What the pooler sends between two clients: nothing of consequence, unless it is set up to.
const RESETS: [&str; 3] = ["SELECT", "DISCARD ALL", "RESET ALL; SELECT pg_advisory_unlock_all()"];

#[test]
fn each_transaction_on_a_shared_connection_is_waited_for() -> test_support::Result {
    for reset in RESETS {
        let database = Postgres::migrated()?;
        let mut reader = Tail::new(database.connect()?);
        let (mut shared, mut other) = (database.connect()?, database.connect()?);
        // Statements that were prepared for one client are not there for the next.
        shared.set_prepared_statement_cache_size(CacheSize::Disabled);
        for client in ["First", "Second", "Third"] {
            begin(&mut shared)?;
            append_one(&mut shared, client)?;
            let behind = format!("After {client}");
            append_one(&mut other, &behind)?;
            assert!(reader.news()?.is_empty(), "{client} after {reset:?}");
            commit(&mut shared)?;
            assert_eq!(reader.news()?, [client, &behind]);
            shared.batch_execute(reset)?;
        }
    }
    Ok(())
}

/// Who reads on a shared connection sees what everybody else sees.
#[test]
fn reads_on_a_shared_connection_miss_nothing() -> test_support::Result {
    let database = Postgres::migrated()?;
    let mut reader = Tail::new(database.connect()?);
    reader.conn.set_prepared_statement_cache_size(CacheSize::Disabled);
    let (mut slow, mut fast) = (database.connect()?, database.connect()?);
    begin(&mut slow)?;
    append_one(&mut slow, "Early")?;
    append_one(&mut fast, "Late")?;
    assert!(reader.news()?.is_empty());
    reader.conn.batch_execute("DISCARD ALL")?;
    assert!(reader.news()?.is_empty());
    commit(&mut slow)?;
    assert_eq!(reader.news()?, ["Early", "Late"]);
    Ok(())
}
