//! How PostgreSQL comes to the plan of an append, which takes longer than to carry it out, and by which index it
//! reads.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel_event_store::{
    EventStore, ExpectedVersion, LogOrdering, LogQuery, NewEvent, Position, StreamId, run_pending_migrations,
};
use test_support::{self, Postgres, TestDatabase};

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

#[derive(Debug, QueryableByName)]
struct PlanLine {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    line: String,
}

const ANALYZE: &str = "ANALYZE events";

/// Also of a tenant that has so few events that PostgreSQL would rather sort them.
#[test]
fn a_page_of_a_tenant_is_read_in_the_order_of_the_positions() -> test_support::Result {
    let database = Postgres::create()?;
    let mut conn = database.connect()?;
    run_pending_migrations(&mut conn)?;
    for nth in 0..400 {
        let tenant = if nth % 100 == 0 { "acme" } else { "other" };
        append(&mut conn, &StreamId::new("Order", nth)?.in_tenant(tenant)?, ExpectedVersion::NoStream, 5)?;
    }
    for statistics in ["SELECT 1", ANALYZE] {
        diesel::sql_query(statistics).execute(&mut conn)?;
        for from in [LogQuery::after(Position::START), LogQuery::before(Position::END)] {
            let mut conn = database.connect()?;
            assert_eq!(EventStore::new().read_log(&mut conn, &from.tenant("acme"), 10)?.len(), 10);
            let plan = plan_of_page(&mut conn, "2000, 0, 'acme', 10")?;
            assert!(
                plan.contains("events_pkey") && !plan.contains("events_tenant_id"),
                "{statistics}:\n{plan}"
            );
            assert!(!plan.contains("Sort") || statistics != ANALYZE, "{statistics}:\n{plan}");
        }
    }
    Ok(())
}

/// Of the statement that the connection has prepared to read a page.
fn plan_of_page(conn: &mut PgConnection, arguments: &str) -> test_support::Result<String> {
    #[derive(QueryableByName)]
    struct Named {
        #[diesel(sql_type = Text)]
        name: String,
    }
    let find = "SELECT name FROM pg_prepared_statements WHERE statement LIKE '%tenant_id ||%'";
    let Named { name } = diesel::sql_query(find).get_result(conn)?;
    let lines: Vec<PlanLine> =
        diesel::sql_query(format!("EXPLAIN EXECUTE {name}({arguments})")).load(conn)?;
    Ok(lines.into_iter().map(|line| line.line + "\n").collect())
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
