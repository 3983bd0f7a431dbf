//! A log of which a reader wants a part.

use diesel_event_store::{
    EventConnection, EventFilter, EventStore, ExpectedVersion, LogQuery, LogSlice, NewEvent, Position,
    StreamId, write_transaction,
};

use crate::Result;

/// How many events [`fill_log`] appends.
const FILLED: i64 = 4_000;

/// How many pages are read, so that a statement that is planned a few times is also run with the plan that is
/// kept.
const PAGES: usize = 8;

/// More than the events of a request, and what is read to find the end of the log.
const FEW: i64 = 30;

/// Events of two types each, of which one in twenty belongs to an aggregate of a rare type, and another one
/// to a rare tenant; eight each belong to one request.
pub fn fill_log<C: EventConnection>(conn: &mut C) -> Result {
    write_transaction(conn, |conn| (0..FILLED / 2).try_for_each(|nth| append(conn, nth)))
}

fn append<C: EventConnection + ?Sized>(conn: &mut C, nth: i64) -> Result {
    let aggregate_type = match nth % 20 {
        0 => "Refund",
        odd if odd % 2 == 1 => "Order",
        _ => "User",
    };
    let tenant = if nth % 20 == 1 { "rare" } else { "acme" };
    let stream = StreamId::new(aggregate_type, nth)?.in_tenant(tenant)?;
    let request = format!("request {}", nth / 4);
    let events = ["Placed", "Paid"]
        .map(|event_type| Ok(NewEvent::new(event_type, &nth)?.correlation_id(&request)))
        .into_iter()
        .collect::<Result<Vec<_>>>()?;
    EventStore::new().append(conn, &stream, ExpectedVersion::NoStream, &events)?;
    Ok(())
}

/// One of each kind, with whether it is for the events of one request.
fn filters() -> Vec<(EventFilter, bool)> {
    let all = EventFilter::new;
    let of_request = || all().correlation_id("request 300");
    vec![
        (all(), false),
        (all().aggregate_types(["Order"]), false),
        (all().aggregate_types(["Refund"]), false),
        (all().aggregate_types(["Order", "User"]), false),
        (all().event_types(["Paid"]), false),
        (all().event_types(["Paid", "Placed"]), false),
        (all().aggregate_types(["Order"]).event_types(["Paid"]), false),
        (all().tenant("acme"), false),
        (all().tenant("rare"), false),
        (all().tenant("acme").aggregate_types(["Order"]), false),
        (of_request(), true),
        (of_request().tenant("acme"), true),
        (of_request().aggregate_types(["Order"]), true),
        (of_request().event_types(["Paid"]), true),
    ]
}

/// Reads with every filter, in both directions, from an end of the log and from its middle, several pages
/// each. A page must not cost more rows than it scans: `read` reads it, and returns how many rows the
/// database has looked at.
pub fn assert_that_a_page_costs_what_it_scans(
    mut read: impl FnMut(&LogQuery) -> Result<(LogSlice, i64)>,
) -> Result {
    for (filter, is_of_a_request) in filters() {
        for (from, forward) in [(0, true), (FILLED / 2, true), (FILLED + 1, false), (FILLED / 2, false)] {
            let mut from = Position::new(from)?;
            for _ in 0..PAGES {
                let query = if forward { LogQuery::after(from) } else { LogQuery::before(from) };
                let query = query.filter(filter.clone());
                let (slice, rows) = read(&query)?;
                // An index finds the events of a request.
                let scanned = if is_of_a_request { 0 } else { (slice.scanned_to().get() - from.get()).abs() };
                assert!(rows <= scanned + FEW, "{rows} rows for {scanned} positions: {query:?}");
                from = slice.scanned_to();
            }
        }
    }
    Ok(())
}
