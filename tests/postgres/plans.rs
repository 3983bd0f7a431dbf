//! How PostgreSQL comes to the plan of an append, which takes longer than to carry it out, and how it finds
//! what is read again and again.

use std::sync::Arc;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel_event_store::{
    EventStore, ExpectedVersion, LogOrdering, NewEvent, StreamId, run_pending_migrations,
};
use test_support::filtered::{assert_that_a_page_costs_what_it_scans, fill_log};
use test_support::long_aggregate::{append_long_aggregate, assert_that_only_the_end_is_read};
use test_support::look::{look_of_a_runner, park_many};
use test_support::{self, Postgres, TestDatabase, execute};

#[derive(Debug, QueryableByName)]
struct Prepared {
    #[diesel(sql_type = Text)]
    statement: String,
    #[diesel(sql_type = BigInt)]
    custom_plans: i64,
    #[diesel(sql_type = BigInt)]
    generic_plans: i64,
}

/// PostgreSQL plans a prepared statement anew five times, and then only if it expects to gain by it.
#[test]
fn an_append_is_not_planned_again_and_again() -> test_support::Result {
    for ordering in [LogOrdering::Fenced, LogOrdering::Gapless] {
        for size in [1, 10] {
            let database = Postgres::create()?;
            let mut conn = database.connect()?;
            run_pending_migrations(&mut conn)?;
            EventStore::new().set_log_ordering(&mut conn, ordering)?;
            for nth in 0..10 {
                let stream = StreamId::new("Order", nth)?;
                append(&mut conn, &stream, ExpectedVersion::NoStream, size)?;
                append(&mut conn, &stream, ExpectedVersion::Exact(size), size)?;
            }

            let prepared: Vec<Prepared> = diesel::sql_query(
                "SELECT statement, custom_plans, generic_plans FROM pg_prepared_statements \
                 WHERE statement LIKE '%INSERT INTO events%'",
            )
            .load(&mut conn)?;
            assert_eq!(prepared.len(), 2, "{prepared:?}");
            for Prepared { statement, custom_plans, generic_plans } in prepared {
                assert_eq!((custom_plans, generic_plans), (5, 5), "{ordering:?}, {size} events: {statement}");
            }
        }
    }
    Ok(())
}

fn append(
    conn: &mut PgConnection,
    stream: &StreamId,
    expected: ExpectedVersion,
    size: i64,
) -> test_support::Result {
    let events: Vec<_> = (0..size).map(|nth| NewEvent::new("Counted", &nth)).collect::<Result<_, _>>()?;
    EventStore::new().append(conn, stream, expected, &events)?;
    Ok(())
}

/// Of the events, in this transaction and in some before it.
fn rows_read(conn: &mut PgConnection) -> QueryResult<i64> {
    #[derive(QueryableByName)]
    struct Read {
        #[diesel(sql_type = BigInt)]
        rows_read: i64,
    }
    let read = "SELECT seq_tup_read + idx_tup_fetch AS rows_read FROM pg_stat_xact_user_tables \
                WHERE relname = 'events'";
    Ok(diesel::sql_query(read).get_result::<Read>(conn)?.rows_read)
}

#[test]
fn a_page_of_the_log_costs_what_it_scans_with_every_filter() -> test_support::Result {
    let database = Postgres::migrated()?;
    let mut conn = database.connect()?;
    fill_log(&mut conn)?;
    // As the server does by itself once a table has grown.
    execute(&mut conn, "ANALYZE events")?;
    assert_that_a_page_costs_what_it_scans(|query| {
        conn.transaction(|conn| {
            let before = rows_read(conn)?;
            let slice = EventStore::new().read_log(conn, query, 10)?;
            Ok((slice, rows_read(conn)? - before))
        })
    })
}

/// It expects one event of an aggregate where most have one.
#[test]
fn a_long_aggregate_is_read_from_its_snapshot_on() -> test_support::Result {
    let database = Postgres::migrated()?;
    append_long_aggregate(&mut database.connect()?)?;
    for statistics in ["SELECT 1", "ANALYZE events, snapshots"] {
        let mut conn = database.connect()?;
        execute(&mut conn, statistics)?;
        conn.transaction(|conn| assert_that_only_the_end_is_read(conn, |conn| Ok(rows_read(conn)?)))?;
    }
    Ok(())
}

#[test]
fn an_idle_runner_finds_requests_without_looking_at_what_is_parked() -> test_support::Result {
    #[derive(QueryableByName)]
    struct Step {
        #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
        step: String,
    }
    let db = Arc::new(Postgres::migrated()?);
    let look = look_of_a_runner(&db)?;
    let mut conn = db.connect()?;
    park_many(&mut conn)?;
    execute(&mut conn, "ANALYZE parked_events")?;
    execute(&mut conn, &format!("PREPARE look AS {look}"))?;
    let explain = "EXPLAIN EXECUTE look ('nothing', 1, 'nothing', 1, 'nothing', 1, 'nothing', 1)";
    let steps: Vec<Step> = diesel::sql_query(explain).load(&mut conn)?;
    let of_parked: Vec<&str> =
        steps.iter().map(|step| &*step.step).filter(|step| step.contains("parked_events")).collect();
    assert!(matches!(of_parked[..], [step] if step.contains("parked_events_requested")), "{of_parked:?}");
    Ok(())
}
