use std::ffi::c_int;

use chrono::Utc;
use uuid::Uuid;

use super::client::{Client, Rows, Statement};
use super::parameters::{
    BOOLEAN, IDS, INTEGERS, LONG, LONGS, Oid, Parameters, TEXT, TEXTS, TIME, TIMES, id, integer, long, text,
    time,
};
use super::statements::Statements;
use crate::raw_event::{RawEvent, cents};
use crate::store::Store;
use bench_support::payload::{AGGREGATE_TYPE, EVENT_TYPE, NO_TENANT, OrderPlaced};
use bench_support::workload::Append;

const APPEND: &[Oid] = &[
    TEXT, TEXT, TEXT, LONG, TIME, IDS, LONG, LONG, BOOLEAN, LONGS, TEXTS, INTEGERS, TEXTS, TEXTS, TEXTS,
    TEXTS, TEXTS, TIMES,
];

/// The same statements without diesel_event_store and without diesel.
pub struct RawStore {
    pub client: Client,
    create: Statement,
    append: Statement,
    safe_position: Statement,
    last_position: Statement,
    page: Statement,
    stream: Statement,
}

impl RawStore {
    pub fn new(client: Client, statements: &Statements) -> Self {
        Self {
            create: client.prepare(&statements.create, APPEND),
            append: client.prepare(&statements.append, APPEND),
            safe_position: client.prepare(&statements.safe_position, &[]),
            last_position: client.prepare(&statements.last_position, &[LONG]),
            page: client.prepare(&statements.page, &[LONG, LONG, LONG]),
            stream: client.prepare(&statements.stream, &[TEXT, TEXT, TEXT, LONG, LONG]),
            client,
        }
    }

    pub fn read_page_up_to(&mut self, highest: i64, after: i64, limit: usize) -> (i64, u64) {
        let limit = i64::try_from(limit).expect("a limit");
        let rows = self.client.run(&self.page, &Parameters::new().long(highest).long(after).long(limit));
        let events = events(&rows);
        (events.last().map_or(after, |event| event.position), cents(&events))
    }

    pub fn safe_position(&mut self) -> i64 {
        let rows = self.client.run(&self.safe_position, &Parameters::new());
        long(value(&rows, 0, 0))
    }

    pub fn last_position(&mut self) -> i64 {
        let safe = self.safe_position();
        let rows = self.client.run(&self.last_position, &Parameters::new().long(safe));
        rows.get(0, 0).map_or(0, long)
    }
}

impl Store for RawStore {
    fn append(&mut self, append: &Append, payloads: &[OrderPlaced]) -> i64 {
        let (now, number) = (Utc::now(), payloads.len());
        let added = i64::try_from(number).expect("a short batch");
        let ids: Vec<Uuid> = payloads.iter().map(|_| Uuid::now_v7()).collect();
        let payloads: Vec<String> = payloads.iter().map(OrderPlaced::to_json).collect();
        let parameters = Parameters::new()
            .text(NO_TENANT)
            .text(AGGREGATE_TYPE)
            .text(&append.aggregate_id)
            .long(added)
            .time(now)
            .ids(&ids)
            .long(append.version)
            .long(append.version)
            .boolean(true)
            .longs(&(1..=added).collect::<Vec<_>>())
            .texts(&vec![EVENT_TYPE; number])
            .integers(&vec![1; number])
            .texts(&payloads)
            .nulls(number)
            .nulls(number)
            .nulls(number)
            .nulls(number)
            .times(&vec![now; number]);
        let statement = if append.version == 0 { &self.create } else { &self.append };
        let rows = self.client.run(statement, &parameters);
        let placement: Vec<(i64, i64)> =
            (0..rows.len()).map(|row| (long(value(&rows, row, 0)), long(value(&rows, row, 1)))).collect();
        placement.iter().max().expect("the version is the expected one").1
    }

    fn read_page(&mut self, after: i64, limit: usize) -> (i64, u64) {
        let safe = self.safe_position();
        self.read_page_up_to(safe, after, limit)
    }

    fn read_stream(&mut self, aggregate_id: &str) -> (i64, u64) {
        let key = Parameters::new().text(NO_TENANT).text(AGGREGATE_TYPE).text(aggregate_id);
        let part = key.long(0).long(i64::MAX);
        let events = events(&self.client.run(&self.stream, &part));
        (events.last().map_or(0, |event| event.version), cents(&events))
    }
}

fn events(rows: &Rows) -> Vec<RawEvent> {
    (0..rows.len()).map(|row| event(rows, row)).collect()
}

fn event(rows: &Rows, row: c_int) -> RawEvent {
    let value = |column| value(rows, row, column);
    let optional_text = |column| rows.get(row, column).map(text);
    RawEvent {
        position: long(value(0)),
        tenant_id: text(value(1)),
        aggregate_type: text(value(2)),
        aggregate_id: text(value(3)),
        version: long(value(4)),
        event_id: id(value(5)),
        event_type: text(value(6)),
        event_version: integer(value(7)),
        payload: text(value(8)),
        metadata: optional_text(9),
        trace_id: optional_text(10),
        correlation_id: optional_text(11),
        causation_id: optional_text(12),
        created_at: time(value(13)),
    }
}

fn value(rows: &Rows, row: c_int, column: c_int) -> &[u8] {
    rows.get(row, column).expect("a column that is NOT NULL")
}
