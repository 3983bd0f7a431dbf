use chrono::Utc;
use uuid::Uuid;

use super::client::{Client, Column, Row, Statement, Value};
use super::statements::Statements;
use crate::raw_event::{RawEvent, cents};
use crate::store::Store;
use bench_support::payload::{AGGREGATE_TYPE, EVENT_TYPE, NO_TENANT, OrderPlaced};
use bench_support::workload::Append;

/// The columns of `events`.
const EVENT: [Column; 14] = {
    use Column::{Integer, Long, Text, Time};
    [Long, Text, Text, Text, Long, Text, Text, Integer, Text, Text, Text, Text, Text, Time]
};

const FENCE: [Column; 9] = {
    use Column::{Long, Text};
    [Long, Long, Text, Text, Long, Long, Long, Long, Text]
};

const LOOK: [Column; 8] = {
    use Column::{Integer, Long, Text};
    [Text, Long, Long, Integer, Long, Long, Text, Long]
};

/// How positions are assigned.
#[derive(Clone, Copy, PartialEq)]
pub enum Ordering {
    Fenced,
    Gapless,
    /// Without any protection for readers, as in most stores.
    Unfenced,
}

/// The same statements without diesel_event_store and without diesel.
pub struct RawStore {
    ordering: Ordering,
    begin: String,
    commit: String,
    create_head: Statement,
    advance_head: Statement,
    enter_fence: Statement,
    count_positions: Statement,
    /// Inserts, by the number of rows.
    inserts: [(usize, Statement); 3],
    last_insert_id: Statement,
    look: Statement,
    page: Statement,
    stream: Statement,
    client: Client,
}

// SAFETY: the library lets any thread use a connection, one at a time. The connection, and all that shares
// it, is in here.
unsafe impl Send for RawStore {}

impl RawStore {
    pub fn new(client: Client, statements: &Statements, ordering: Ordering) -> Self {
        let enter_fence = match ordering {
            Ordering::Unfenced => {
                "SELECT CAST(LAST_INSERT_ID() AS SIGNED), @@auto_increment_increment, '', '', 0, 0, 0, 0, NULL"
            }
            _ => &statements.enter_fence,
        };
        Self {
            ordering,
            begin: statements.begin.clone(),
            commit: statements.commit.clone(),
            create_head: client.prepare(&statements.create_head, &[]),
            advance_head: client.prepare(&statements.advance_head, &[]),
            enter_fence: client.prepare(enter_fence, &FENCE),
            count_positions: client.prepare(&statements.count_positions, &[]),
            inserts: [(8, &statements.insert_8), (2, &statements.insert_2), (1, &statements.insert_1)]
                .map(|(rows, sql)| (rows, client.prepare(sql, &[]))),
            last_insert_id: client.prepare(&statements.last_insert_id, &[Column::Long]),
            look: client.prepare(&statements.look, &LOOK),
            page: client.prepare(&statements.page, &EVENT),
            stream: client.prepare(&statements.stream, &EVENT),
            client,
        }
    }

    pub fn begin(&self) {
        self.client.execute(&self.begin);
    }

    pub fn roll_back(&self) {
        self.client.execute("ROLLBACK");
    }

    /// Without BEGIN and COMMIT. Returns the position of the last event.
    pub fn append_inside(&mut self, append: &Append, payloads: &[OrderPlaced]) -> i64 {
        let now = Utc::now();
        let added = i64::try_from(payloads.len()).expect("a short batch");
        self.move_head(append, added, now);
        let mut previous = 0;
        self.enter_fence.run(&[], |row| previous = row.long(0));
        assert_eq!(previous, append.version, "the version is the expected one");

        let mut position = None;
        if self.ordering == Ordering::Gapless {
            self.count_positions.execute(&[Value::Long(added)]);
            position = Some(self.last_insert_id() + 1);
        }
        let ids: Vec<_> = payloads.iter().map(|_| Uuid::now_v7().to_string()).collect();
        let payloads: Vec<_> = payloads.iter().map(OrderPlaced::to_json).collect();
        let (mut version, mut last, mut begin) = (append.version, 0, 0);
        while begin < payloads.len() {
            let (rows, insert) = self
                .inserts
                .iter_mut()
                .find(|(rows, _)| begin + *rows <= payloads.len())
                .expect("one row always fits");
            let mut values = Vec::with_capacity(14 * *rows);
            for nth in begin..begin + *rows {
                version += 1;
                values.extend([
                    position.map_or(Value::Null, Value::Long),
                    Value::Text(NO_TENANT),
                    Value::Text(AGGREGATE_TYPE),
                    Value::Text(&append.aggregate_id),
                    Value::Long(version),
                    Value::Text(&ids[nth]),
                    Value::Text(EVENT_TYPE),
                    Value::Integer(1),
                    Value::Text(&payloads[nth]),
                    Value::Null,
                    Value::Null,
                    Value::Null,
                    Value::Null,
                    Value::time(now),
                ]);
                position = position.map(|position| position + 1);
            }
            insert.execute(&values);
            begin += *rows;
            last = match position {
                Some(next) => next - 1,
                None => self.last_insert_id(),
            };
        }
        last
    }

    fn move_head(&mut self, append: &Append, added: i64, now: chrono::DateTime<Utc>) {
        let (id, version) = (&append.aggregate_id, append.version);
        let (from, to, now) = (Value::Long(version), Value::Long(version), || Value::time(now));
        if version > 0 {
            return self.advance_head.execute(&[
                Value::Long(added),
                now(),
                Value::Text(NO_TENANT),
                Value::Text(AGGREGATE_TYPE),
                Value::Text(id),
                from,
                to,
            ]);
        }
        self.create_head.execute(&[
            Value::Text(NO_TENANT),
            Value::Text(AGGREGATE_TYPE),
            Value::Text(id),
            Value::Long(added),
            now(),
            from,
            to,
            now(),
            Value::Long(version),
            Value::Long(version),
            Value::Long(added),
        ]);
    }

    fn last_insert_id(&mut self) -> i64 {
        let mut id = 0;
        self.last_insert_id.run(&[], |row| id = row.long(0));
        id
    }

    pub fn read_page_up_to(&mut self, highest: i64, after: i64, limit: usize) -> (i64, u64) {
        let limit = i64::try_from(limit).expect("a limit");
        let mut events = Vec::new();
        // The third: up to where the server has to have all events.
        let part = [Value::Long(highest), Value::Long(after), Value::Long(after), Value::Long(limit)];
        self.page.run(&part, |row| events.push(event(row)));
        (events.last().map_or(after, |event| event.position), cents(&events))
    }
}

impl Store for RawStore {
    fn append(&mut self, append: &Append, payloads: &[OrderPlaced]) -> i64 {
        self.begin();
        let last = self.append_inside(append, payloads);
        self.client.execute(&self.commit);
        last
    }

    fn read_page(&mut self, after: i64, limit: usize) -> (i64, u64) {
        let mut safe = 0;
        self.look.run(&[], |row| safe = row.long(5));
        self.read_page_up_to(safe, after, limit)
    }

    fn read_stream(&mut self, aggregate_id: &str) -> (i64, u64) {
        let mut events = Vec::new();
        let part = [
            Value::Text(NO_TENANT),
            Value::Text(AGGREGATE_TYPE),
            Value::Text(aggregate_id),
            Value::Long(0),
            Value::Long(i64::MAX),
            Value::Long(i64::MAX),
        ];
        self.stream.run(&part, |row| events.push(event(row)));
        (events.last().map_or(0, |event| event.version), cents(&events))
    }
}

fn event(row: &Row<'_>) -> RawEvent {
    let optional_text = |column| row.optional_text(column).map(str::to_owned);
    RawEvent {
        position: row.long(0),
        tenant_id: row.text(1).to_owned(),
        aggregate_type: row.text(2).to_owned(),
        aggregate_id: row.text(3).to_owned(),
        version: row.long(4),
        event_id: Uuid::try_parse(row.text(5)).expect("a UUID"),
        event_type: row.text(6).to_owned(),
        event_version: row.integer(7),
        payload: row.text(8).to_owned(),
        metadata: optional_text(9),
        trace_id: optional_text(10),
        correlation_id: optional_text(11),
        causation_id: optional_text(12),
        created_at: row.time(13),
    }
}
