//! An aggregate of many events with a snapshot of the last one, among many aggregates of one event each.

use diesel_event_store::{Event, EventConnection, EventStore, ExpectedVersion, StreamId, write_transaction};

use crate::Result;
use crate::counter::{Counted, KeptCounter, count_and_keep, count_once};

const EVENTS: i64 = 2_000;
const OTHERS: i64 = 500;

/// How often it is loaded, so that a statement that is planned a few times is also run with the plan that is
/// kept.
const LOADS: usize = 8;

/// More than the event of the snapshot, and what is read beside the events.
const FEW: i64 = 10;

pub fn append_long_aggregate<C: EventConnection>(conn: &mut C) -> Result {
    write_transaction(conn, append_all)?;
    assert_eq!(count_and_keep(conn)?, EVENTS);
    Ok(())
}

/// All but the event with the snapshot.
fn append_all<C: EventConnection>(conn: &mut C) -> Result {
    for nth in 0..OTHERS {
        count_once(conn, &nth.to_string())?;
    }
    let stream = StreamId::new("KeptCounter", "kept")?;
    let events = (1..EVENTS).map(|_| Counted.to_new()).collect::<Result<Vec<_>, _>>()?;
    EventStore::new().append(conn, &stream, ExpectedVersion::NoStream, &events)?;
    Ok(())
}

/// Loads it several times, which must not cost more because it is long. `rows_read` says how many rows were
/// read until now.
pub fn assert_that_only_the_end_is_read<C: EventConnection>(
    conn: &mut C,
    rows_read: impl Fn(&mut C) -> Result<i64>,
) -> Result {
    let cost_of_asking = -(rows_read(conn)? - rows_read(conn)?);
    for _ in 0..LOADS {
        let before = rows_read(conn)?;
        let counted = load_long_aggregate(conn)?;
        let rows = rows_read(conn)? - before - cost_of_asking;
        assert_eq!(counted, EVENTS);
        assert!(rows <= FEW, "{rows} rows for one event after the snapshot");
    }
    Ok(())
}

/// The state of the long aggregate.
pub fn load_long_aggregate(conn: &mut impl EventConnection) -> Result<i64> {
    Ok(EventStore::new().aggregate::<KeptCounter>("kept").load(conn)?.state.0)
}
