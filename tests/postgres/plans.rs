//! How PostgreSQL comes to the plan of an append, which takes longer than to carry it out.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel_event_store::{
    EventStore, ExpectedVersion, LogOrdering, NewEvent, StreamId, run_pending_migrations,
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
