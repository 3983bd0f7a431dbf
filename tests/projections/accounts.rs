//! The read model: a row for each event, a running sum for each account, and a total of what each process has
//! applied.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel_event_store::projection::{HandlerError, parked};
use diesel_event_store::{EventConnection, EventStore, LogQuery, Position, RecordedEvent};
use test_support::{self, changed, count, execute};

pub const STORE: EventStore = EventStore::new();
pub const NAME: &str = "accounts";

/// Nothing but the sums has a key, so that an event that is applied twice is seen, and not refused.
const TABLES: [&str; 4] = [
    "CREATE TABLE applied (worker VARCHAR(40) NOT NULL, global_position BIGINT NOT NULL, \
     aggregate_id VARCHAR(40) NOT NULL, aggregate_version BIGINT NOT NULL, amount BIGINT NOT NULL)",
    "CREATE TABLE sums (aggregate_id VARCHAR(40) PRIMARY KEY, last_version BIGINT NOT NULL, total BIGINT NOT NULL)",
    "CREATE TABLE totals (worker VARCHAR(40) PRIMARY KEY, total BIGINT NOT NULL)",
    "CREATE TABLE mended (global_position BIGINT PRIMARY KEY)",
];

pub fn create_tables<C: EventConnection>(conn: &mut C) -> QueryResult<()> {
    TABLES.iter().try_for_each(|table| execute(conn, table))
}

/// What an event says: an amount, and whether it is in trouble until somebody mends it.
pub type Payload = (i64, bool);

/// What a handler says of an event that is in trouble.
pub const TROUBLE: &str = "nobody has mended it";

/// Applies an event that must come right after the one before it in its aggregate.
pub fn apply<C: EventConnection>(
    conn: &mut C,
    worker: &str,
    event: &RecordedEvent,
) -> Result<(), HandlerError> {
    let (amount, is_in_trouble): Payload = event.payload()?;
    if is_in_trouble {
        refuse_unmended(conn, event)?;
    }
    insert(conn, worker, event)?;
    add_to_sum(conn, event, amount)?;
    execute(conn, &format!("UPDATE totals SET total = total + {amount} WHERE worker = '{worker}'"))?;
    Ok(())
}

/// Before a process applies anything: its partitions share one total, and two of them could otherwise begin
/// it at once, which is a failure of the one that comes second.
pub fn begin_total<C: EventConnection>(conn: &mut C, worker: &str) -> QueryResult<()> {
    execute(conn, &format!("INSERT INTO totals VALUES ('{worker}', 0)"))
}

fn refuse_unmended<C: EventConnection>(conn: &mut C, event: &RecordedEvent) -> Result<(), HandlerError> {
    let position = event.position();
    if count(conn, &format!("mended WHERE global_position = {position}"))? > 0 {
        return Ok(());
    }
    if position.get() % 2 == 0 {
        // A panic that nobody has to read about.
        std::panic::resume_unwind(Box::new(TROUBLE));
    }
    Err(HandlerError::failed(TROUBLE))
}

pub fn insert<C: EventConnection>(
    conn: &mut C,
    worker: &str,
    event: &RecordedEvent,
) -> Result<(), HandlerError> {
    let (position, id, version) = (event.position(), event.aggregate_id(), event.version());
    let (amount, _): Payload = event.payload()?;
    execute(
        conn,
        &format!("INSERT INTO applied VALUES ('{worker}', {position}, '{id}', {version}, {amount})"),
    )?;
    Ok(())
}

fn add_to_sum<C: EventConnection>(
    conn: &mut C,
    event: &RecordedEvent,
    amount: i64,
) -> Result<(), HandlerError> {
    let (id, version) = (event.aggregate_id(), event.version());
    let sql = if version == 1 {
        format!("INSERT INTO sums VALUES ('{id}', 1, {amount})")
    } else {
        format!(
            "UPDATE sums SET total = total + {amount}, last_version = {version} \
             WHERE aggregate_id = '{id}' AND last_version = {version} - 1"
        )
    };
    match changed(conn, &sql)? {
        1 => Ok(()),
        _ => Err(HandlerError::failed(format!("version {version} of {id} does not follow its predecessor"))),
    }
}

/// The end of the log, also of what its readers are not shown yet.
pub fn end_of_log<C: EventConnection>(conn: &mut C) -> test_support::Result<Position> {
    let last = number(conn, "SELECT coalesce(max(global_position), 0) AS value FROM events")?;
    Ok(Position::new(last)?)
}

/// Each event once, and sums of the same. Nothing is left aside.
pub fn assert_equal_to_log<C: EventConnection>(conn: &mut C) -> test_support::Result {
    assert_eq!(parked(conn, (NAME, 1))?.first(), None, "this event is parked");
    assert_rows_equal_to_log(conn)?;
    let rows = rows(conn, "applied")?;
    assert_eq!(sums(conn)?, sums_of(&rows));
    let total: i64 = rows.iter().map(|row| row.amount).sum();
    assert_eq!(totals(conn)?.values().map(|(_, total)| total).sum::<i64>(), total);
    Ok(())
}

pub fn assert_rows_equal_to_log<C: EventConnection>(conn: &mut C) -> test_support::Result {
    let log = STORE.iter_log(conn, LogQuery::after(Position::START)).collect::<Result<Vec<_>, _>>()?;
    assert_eq!(log.len() as i64, count(conn, "events")?);
    let expected = log.iter().map(Row::of).collect::<test_support::Result<Vec<_>>>()?;
    let rows = rows(conn, "applied")?;
    let difference = rows.iter().zip(&expected).find(|(row, expected)| row != expected);
    assert_eq!(difference, None, "the first is applied and the second is in the log");
    assert_eq!(rows.len(), expected.len(), "events that are applied, and events in the log");
    Ok(())
}

#[derive(Debug, PartialEq, Eq, QueryableByName)]
pub struct Row {
    #[diesel(sql_type = BigInt)]
    global_position: i64,
    #[diesel(sql_type = Text)]
    aggregate_id: String,
    #[diesel(sql_type = BigInt)]
    aggregate_version: i64,
    #[diesel(sql_type = BigInt)]
    amount: i64,
}

impl Row {
    fn of(event: &RecordedEvent) -> test_support::Result<Self> {
        let (amount, _): Payload = event.payload()?;
        Ok(Self {
            global_position: event.position().get(),
            aggregate_id: event.aggregate_id().to_owned(),
            aggregate_version: event.version(),
            amount,
        })
    }
}

/// Of `FROM …`, in the order of the log.
fn rows<C: EventConnection>(conn: &mut C, from: &str) -> QueryResult<Vec<Row>> {
    let sql = format!(
        "SELECT global_position, aggregate_id, aggregate_version, amount FROM {from} ORDER BY global_position"
    );
    test_support::on_any_database!(conn, conn => diesel::sql_query(sql).load(conn))
}

/// The last version of each account, and its sum.
type Sums = BTreeMap<String, (i64, i64)>;

fn sums<C: EventConnection>(conn: &mut C) -> QueryResult<Sums> {
    as_sums(
        conn,
        "(SELECT total - total AS global_position, aggregate_id, last_version AS aggregate_version, total AS amount \
         FROM sums) AS sums_as_rows",
    )
}

/// Of each process instead of each account.
fn totals<C: EventConnection>(conn: &mut C) -> QueryResult<Sums> {
    as_sums(
        conn,
        "(SELECT total - total AS global_position, worker AS aggregate_id, total - total AS aggregate_version, total AS amount \
         FROM totals) AS totals_as_rows",
    )
}

fn as_sums<C: EventConnection>(conn: &mut C, from: &str) -> QueryResult<Sums> {
    let rows = rows(conn, from)?;
    Ok(rows.into_iter().map(|row| (row.aggregate_id, (row.aggregate_version, row.amount))).collect())
}

fn sums_of(log: &[Row]) -> Sums {
    let mut sums = Sums::new();
    for row in log {
        let (last_version, total) = sums.entry(row.aggregate_id.clone()).or_default();
        (*last_version, *total) = (row.aggregate_version, *total + row.amount);
    }
    sums
}

fn number<C: EventConnection>(conn: &mut C, sql: &str) -> QueryResult<i64> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        value: i64,
    }
    test_support::on_any_database!(conn, conn => diesel::sql_query(sql).get_result::<Row>(conn))
        .map(|row| row.value)
}
