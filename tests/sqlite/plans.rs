//! How SQLite finds what is read again and again: a page costs what it scans, however long the log is, and an
//! idle runner does not look at what is parked.

use std::sync::Arc;

use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_event_store::{ExpectedVersion, LogQuery, NewEvent, Position, StreamId};
use test_support::long_aggregate::{append_long_aggregate, load_long_aggregate};
use test_support::look::{look_of_a_runner, park_many};
use test_support::sqlite_file::SqliteFile;
use test_support::{Sqlite, TestDatabase};

use super::database::STORE;
use super::statements::Watch;

#[derive(Debug, QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// Events of two tenants and types of aggregates, and of two types, a few of them of one request.
fn database() -> SqliteFile {
    let database = SqliteFile::migrated();
    let mut conn = database.connect();
    for nth in 0..200 {
        let (aggregate_type, tenant_id) = if nth % 2 == 0 { ("Order", "acme") } else { ("User", "other") };
        let stream = StreamId::new(aggregate_type, nth).unwrap().in_tenant(tenant_id).unwrap();
        let events = ["Placed", "Paid"].map(|event_type| {
            NewEvent::new(event_type, &nth).unwrap().correlation_id(format!("request {}", nth / 4))
        });
        STORE.append(&mut conn, &stream, ExpectedVersion::NoStream, &events).unwrap();
    }
    database
}

/// The plan of the statement that reads a page.
fn plan_of_page(conn: &mut SqliteConnection, query: &LogQuery) -> String {
    let watch = Watch::on(conn);
    assert!(!STORE.read_log(conn, query, 10).unwrap().is_empty());
    let run = watch.statements().run.clone();
    let read = run.iter().rfind(|statement| !statement.contains("event_rewrites")).unwrap();
    plan(conn, read)
}

fn plan(conn: &mut SqliteConnection, statement: &str) -> String {
    let steps: Vec<Step> = diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}")).load(conn).unwrap();
    steps.iter().map(|step| format!("{}\n", step.detail)).collect()
}

const BY_POSITION: &str = "SEARCH events USING INTEGER PRIMARY KEY (rowid";
const BY_CORRELATION: &str = "SEARCH events USING INDEX events_correlation_id (correlation_id=? AND rowid";

fn filters(from: LogQuery) -> Vec<(LogQuery, &'static str)> {
    let of_request = from.clone().correlation_id("request 3");
    vec![
        (from.clone(), BY_POSITION),
        (from.clone().aggregate_types(["Order"]), BY_POSITION),
        (from.clone().aggregate_types(["Order", "User"]), BY_POSITION),
        (from.clone().event_types(["Paid"]), BY_POSITION),
        (from.clone().tenant("acme"), BY_POSITION),
        (from.clone().tenant("acme").aggregate_types(["Order"]), BY_POSITION),
        (of_request.clone().tenant("acme"), BY_CORRELATION),
        (from.aggregate_types(["Order"]).event_types(["Paid", "Placed"]), BY_POSITION),
        (of_request.clone(), BY_CORRELATION),
        (of_request.aggregate_types(["Order"]).event_types(["Paid"]), BY_CORRELATION),
    ]
}

#[test]
fn every_filter_reads_in_the_order_of_the_positions_and_sorts_nothing() {
    let database = database();
    for statistics in ["SELECT 1", "ANALYZE"] {
        let mut conn = database.connect();
        diesel::sql_query(statistics).execute(&mut conn).unwrap();
        for from in [LogQuery::after(Position::START), LogQuery::before(Position::END)] {
            for (query, search) in filters(from) {
                let plan = plan_of_page(&mut conn, &query);
                assert!(plan.contains(search), "{statistics}, {query:?}:\n{plan}");
                assert!(!plan.contains("USE TEMP B-TREE"), "{statistics}, {query:?}:\n{plan}");
            }
        }
    }
}

#[test]
fn a_long_aggregate_is_read_from_its_snapshot_on() -> test_support::Result {
    let database = SqliteFile::migrated();
    append_long_aggregate(&mut database.connect())?;
    for statistics in ["SELECT 1", "ANALYZE"] {
        let mut conn = database.connect();
        diesel::sql_query(statistics).execute(&mut conn)?;
        let watch = Watch::on(&mut conn);
        load_long_aggregate(&mut conn)?;
        let run = watch.statements().run.clone();
        let [read] = &run[..] else { panic!("one statement: {run:?}") };
        let plan = plan(&mut conn, read);
        let range = "aggregate_id=? AND aggregate_version>?)";
        assert!(plan.lines().any(|step| step.contains("SEARCH event ") && step.contains(range)), "{plan}");
        assert!(!plan.contains("USE TEMP B-TREE"), "{plan}");
    }
    Ok(())
}

#[test]
fn an_idle_runner_finds_requests_without_looking_at_what_is_parked() -> test_support::Result {
    let db = Arc::new(Sqlite::migrated()?);
    let look = look_of_a_runner(&db)?;
    let mut conn = db.connect()?;
    park_many(&mut conn)?;
    for statistics in ["SELECT 1", "ANALYZE"] {
        diesel::sql_query(statistics).execute(&mut conn)?;
        let plan = plan(&mut conn, &look);
        let searches: Vec<&str> = plan.lines().filter(|step| step.contains("parked_events")).collect();
        assert!(matches!(searches[..], [search] if search.contains("parked_events_requested")), "{plan}");
    }
    Ok(())
}
