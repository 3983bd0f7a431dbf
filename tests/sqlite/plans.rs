//! How SQLite finds what is read from the log: a page costs what it scans, however long the log is.

use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_event_store::{ExpectedVersion, LogQuery, NewEvent, Position, StreamId};
use test_support::sqlite_file::SqliteFile;

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
fn plan(conn: &mut SqliteConnection, query: &LogQuery) -> String {
    let watch = Watch::on(conn);
    assert!(!STORE.read_log(conn, query, 10).unwrap().is_empty());
    let read = watch.statements().run.last().unwrap().clone();
    let steps: Vec<Step> = diesel::sql_query(format!("EXPLAIN QUERY PLAN {read}")).load(conn).unwrap();
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
                let plan = plan(&mut conn, &query);
                assert!(plan.contains(search), "{statistics}, {query:?}:\n{plan}");
                assert!(!plan.contains("USE TEMP B-TREE"), "{statistics}, {query:?}:\n{plan}");
            }
        }
    }
}
