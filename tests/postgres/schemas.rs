//! Two event stores in one database, each in a schema of its own.

use diesel::PgConnection;
use diesel::connection::SimpleConnection;
use diesel_event_store::{
    DatabaseErrorKind, Error, EventStore, LogOrdering, StreamId, run_pending_migrations,
};
use test_support::witness::{Tail, append_one, begin, commit, kind};
use test_support::{self, Postgres, TestDatabase};

fn in_schema(database: &Postgres, schema: &str) -> test_support::Result<PgConnection> {
    let mut conn = database.connect()?;
    conn.batch_execute(&format!("CREATE SCHEMA IF NOT EXISTS {schema}; SET search_path TO {schema}"))?;
    run_pending_migrations(&mut conn)?;
    Ok(conn)
}

#[test]
fn they_do_not_disturb_each_other() -> test_support::Result {
    let database = Postgres::create()?;
    let (mut sales, mut stock) = (in_schema(&database, "sales")?, in_schema(&database, "stock")?);
    let mut reader_of_sales = Tail::new(in_schema(&database, "sales")?);
    let mut reader_of_stock = Tail::new(in_schema(&database, "stock")?);
    append_one(&mut sales, "Sold")?;
    begin(&mut sales)?;
    append_one(&mut sales, "Open")?;
    append_one(&mut stock, "Stored")?;
    append_one(&mut stock, "Taken")?;
    assert_eq!(reader_of_stock.news()?, ["Stored", "Taken"], "the other store's transaction is no concern");
    assert_eq!(reader_of_sales.news()?, ["Sold"]);
    commit(&mut sales)?;
    assert_eq!(reader_of_sales.news()?, ["Open"]);
    assert!(reader_of_stock.news()?.is_empty());
    Ok(())
}

#[test]
fn each_has_its_own_ordering() -> test_support::Result {
    let database = Postgres::create()?;
    let (mut sales, mut stock) = (in_schema(&database, "sales")?, in_schema(&database, "stock")?);
    EventStore::new().set_log_ordering(&mut sales, LogOrdering::Gapless)?;
    assert_eq!(EventStore::new().log_ordering(&mut sales)?, LogOrdering::Gapless);
    assert_eq!(EventStore::new().log_ordering(&mut stock)?, LogOrdering::Fenced);
    append_one(&mut sales, "Sold")?;
    append_one(&mut stock, "Stored")?;
    assert_eq!(Tail::new(sales).news()?, ["Sold"]);
    assert_eq!(Tail::new(stock).news()?, ["Stored"]);
    Ok(())
}

/// One transaction that appends to both is waited for in both.
#[test]
fn a_transaction_may_append_to_both() -> test_support::Result {
    let database = Postgres::create()?;
    let mut both = in_schema(&database, "sales")?;
    let mut readers = ["sales", "stock"].map(|schema| in_schema(&database, schema).map(Tail::new));
    begin(&mut both)?;
    for schema in ["sales", "stock", "sales", "stock"] {
        both.batch_execute(&format!("SET LOCAL search_path TO {schema}"))?;
        append_one(&mut both, "Early").or_else(|_| append_one(&mut both, "Early again"))?;
    }
    for schema in ["sales", "stock"] {
        append_one(&mut in_schema(&database, schema)?, "Late")?;
    }
    for reader in &mut readers {
        let reader = reader.as_mut().map_err(|error| error.to_string())?;
        assert!(reader.news()?.is_empty());
    }
    commit(&mut both)?;
    for reader in &mut readers {
        let reader = reader.as_mut().map_err(|error| error.to_string())?;
        assert_eq!(reader.news()?, ["Early", "Early again", "Late"]);
    }
    Ok(())
}

/// The other store's archive is found first under the name, and has a row for the position.
#[test]
fn the_archive_of_one_does_not_open_the_other() -> test_support::Result {
    let database = Postgres::create()?;
    let (mut sales, mut stock) = (in_schema(&database, "sales")?, in_schema(&database, "stock")?);
    append_one(&mut sales, "Sold")?;
    let archived = "INSERT INTO event_rewrites VALUES (1, 'leaf', 'archived', now())";
    stock.batch_execute(archived)?;
    let delete = |conn: &mut PgConnection, row: &str| {
        conn.batch_execute(&format!("DELETE FROM {row} WHERE global_position = 1")).map_err(Error::from)
    };
    let refused = delete(&mut stock, "sales.events").expect_err("it is not archived");
    assert_eq!(kind(&refused), Some(DatabaseErrorKind::AppendOnly), "{refused}");
    sales.batch_execute("CREATE TEMPORARY TABLE event_rewrites (LIKE event_rewrites)")?;
    sales.batch_execute(archived)?;
    let refused = delete(&mut sales, "events").expect_err("it is not archived, either");
    assert_eq!(kind(&refused), Some(DatabaseErrorKind::AppendOnly), "{refused}");

    // And neither are the rows of an archive deleted for the other's events.
    let refused = delete(&mut sales, "stock.event_rewrites").expect_err("that event is not back");
    assert_eq!(kind(&refused), Some(DatabaseErrorKind::AppendOnly), "{refused}");
    stock.batch_execute("INSERT INTO sales.event_rewrites SELECT * FROM event_rewrites")?;
    delete(&mut stock, "sales.events")?;
    Ok(())
}

/// Heads would move in one place, and events go to another.
#[test]
fn a_table_that_hides_one_of_the_store_is_refused() -> test_support::Result {
    let store = EventStore::new();
    for table in ["events", "event_rewrites", "aggregate_heads", "event_log"] {
        for create in
            ["CREATE TEMPORARY TABLE", "CREATE SCHEMA app; SET search_path TO app, public; CREATE TABLE"]
        {
            let database = Postgres::migrated()?;
            append_one(&mut database.connect()?, "There")?;
            let mut conn = database.connect()?;
            conn.batch_execute(&format!("{create} {table} (LIKE public.{table} INCLUDING ALL)"))?;
            let stream = StreamId::new("Alone", "There")?;
            let refusals = [
                append_one(&mut conn, "Refused"),
                store.read_stream(&mut conn, &stream, ..).map(drop).map_err(Error::from),
                store.last_position(&mut conn).map(drop).map_err(Error::from),
                store.repair(&mut conn).map(drop).map_err(Error::from),
            ];
            for refused in refusals {
                let refused = refused.expect_err("it is another table");
                assert_eq!(kind(&refused), Some(DatabaseErrorKind::UnsuitableSetting), "{create}: {refused}");
                assert!(refused.to_string().contains(&format!("finds {table} in schema ")), "{refused}");
            }
            conn.batch_execute(&format!("DROP TABLE {table}"))?;
            append_one(&mut conn, "Appended")?;
            assert_eq!(Tail::new(conn).news()?, ["There", "Appended"], "{create}");
        }
    }
    Ok(())
}
