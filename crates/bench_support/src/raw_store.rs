use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use chrono::{DateTime, SecondsFormat, Utc};
use diesel_event_store::sqlite::Synchronous;
use diesel_event_store::{chrono, uuid};
use uuid::Uuid;

use crate::payload::{AGGREGATE_TYPE, EVENT_TYPE, NO_TENANT, OrderPlaced};
use crate::raw::{Database, Result, Row, Statement, Value};
use crate::workload::Append;

const ADVANCE_HEAD: &str = "UPDATE aggregate_heads SET aggregate_version = aggregate_version + ?, updated_at = ? \
     WHERE tenant_id = ? AND aggregate_type = ? AND aggregate_id = ? AND aggregate_version BETWEEN ? AND ?";

const CREATE_OR_ADVANCE_HEAD: &str = "INSERT INTO aggregate_heads (tenant_id, aggregate_type, aggregate_id, aggregate_version, updated_at) \
     SELECT ?, ?, ?, ?, ? WHERE true \
     ON CONFLICT (tenant_id, aggregate_type, aggregate_id) DO UPDATE \
     SET aggregate_version = aggregate_version + excluded.aggregate_version, updated_at = excluded.updated_at \
     WHERE aggregate_version BETWEEN ? AND ?";

const INSERT_EVENT: &str = "INSERT INTO events (tenant_id, aggregate_type, aggregate_id, aggregate_version, event_id, event_type, \
     event_version, payload, metadata, trace_id, correlation_id, causation_id, created_at) \
     SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?";

const COLUMNS: &str = "global_position, tenant_id, aggregate_type, aggregate_id, aggregate_version, event_id, event_type, \
     event_version, payload, metadata, trace_id, correlation_id, causation_id, created_at";

/// The same statements without this crate and without diesel: prepared once, bound, stepped, reset.
pub struct RawStore {
    begin: Statement,
    commit: Statement,
    advance_head: Statement,
    create_or_advance_head: Statement,
    insert_event: Statement,
    page: Statement,
    stream: Statement,
    database: Rc<Database>,
}

/// A row in owned values. `I` and `T` are the types of the id and the time.
pub struct RawEvent<I, T> {
    pub position: i64,
    pub tenant_id: String,
    pub aggregate_type: String,
    pub aggregate_id: String,
    pub version: i64,
    pub event_id: I,
    pub event_type: String,
    pub event_version: i64,
    pub payload: String,
    pub metadata: Option<String>,
    pub trace_id: Option<String>,
    pub correlation_id: Option<String>,
    pub causation_id: Option<String>,
    pub created_at: T,
}

impl RawStore {
    /// On a database that has the tables.
    pub fn open(path: &Path, synchronous: Synchronous) -> Result<Self> {
        let database = Database::open(&path.display().to_string())?;
        let synchronous = match synchronous {
            Synchronous::Full => "full",
            _ => "normal",
        };
        database.execute_batch("PRAGMA busy_timeout = 5000")?;
        database.execute_batch("PRAGMA journal_mode = wal")?;
        database.execute_batch(&format!("PRAGMA synchronous = {synchronous}; PRAGMA foreign_keys = true"))?;
        Ok(Self {
            begin: database.prepare("BEGIN IMMEDIATE")?,
            commit: database.prepare("COMMIT")?,
            advance_head: database.prepare(ADVANCE_HEAD)?,
            create_or_advance_head: database.prepare(CREATE_OR_ADVANCE_HEAD)?,
            insert_event: database.prepare(INSERT_EVENT)?,
            page: database.prepare(&format!(
                "SELECT {COLUMNS} FROM events WHERE global_position > ? ORDER BY global_position LIMIT ?"
            ))?,
            stream: database.prepare(&format!(
                "SELECT {COLUMNS} FROM events WHERE tenant_id = ? AND aggregate_type = ? AND aggregate_id = ? \
                 ORDER BY aggregate_version"
            ))?,
            database,
        })
    }

    pub fn append(&mut self, append: &Append, payloads: &[OrderPlaced]) -> Result<i64> {
        self.begin.execute(&[])?;
        let last_position = self.write(append, payloads)?;
        self.commit.execute(&[])?;
        Ok(last_position)
    }

    /// Several appends in one transaction. Returns how long its commit took.
    pub fn append_group(&mut self, appends: &[Append], payloads: &[OrderPlaced]) -> Result<Duration> {
        self.begin.execute(&[])?;
        for append in appends {
            self.write(append, payloads)?;
        }
        let begun = Instant::now();
        self.commit.execute(&[])?;
        Ok(begun.elapsed())
    }

    fn write(&mut self, append: &Append, payloads: &[OrderPlaced]) -> Result<i64> {
        let created_at = now_text();
        let added = i64::try_from(payloads.len()).expect("a short batch");
        self.move_head(append, added, &created_at)?;
        for (version, payload) in (append.version + 1..).zip(payloads) {
            self.insert_event(&append.aggregate_id, version, &payload.to_json(), &created_at)?;
        }
        Ok(self.database.last_insert_rowid())
    }

    fn move_head(&mut self, append: &Append, added: i64, now: &str) -> Result<()> {
        let Append { aggregate_id, version } = append;
        match version {
            0 => self.create_head(aggregate_id, added, now)?,
            version => self.advance_head(aggregate_id, *version, added, now)?,
        }
        assert_eq!(self.database.changes(), 1, "the version is the expected one");
        Ok(())
    }

    pub fn create_head(&mut self, aggregate_id: &str, version: i64, now: &str) -> Result<()> {
        self.create_or_advance_head.execute(&[
            Value::Text(NO_TENANT),
            Value::Text(AGGREGATE_TYPE),
            Value::Text(aggregate_id),
            Value::Integer(version),
            Value::Text(now),
            Value::Integer(0),
            Value::Integer(0),
        ])
    }

    fn advance_head(&mut self, aggregate_id: &str, from: i64, added: i64, now: &str) -> Result<()> {
        self.advance_head.execute(&[
            Value::Integer(added),
            Value::Text(now),
            Value::Text(NO_TENANT),
            Value::Text(AGGREGATE_TYPE),
            Value::Text(aggregate_id),
            Value::Integer(from),
            Value::Integer(from),
        ])
    }

    pub fn insert_event(&mut self, aggregate_id: &str, version: i64, payload: &str, now: &str) -> Result<()> {
        let mut id = Uuid::encode_buffer();
        self.insert_event.execute(&[
            Value::Text(NO_TENANT),
            Value::Text(AGGREGATE_TYPE),
            Value::Text(aggregate_id),
            Value::Integer(version),
            Value::Text(Uuid::now_v7().hyphenated().encode_lower(&mut id)),
            Value::Text(EVENT_TYPE),
            Value::Integer(1),
            Value::Text(payload),
            Value::Null,
            Value::Null,
            Value::Null,
            Value::Null,
            Value::Text(now),
        ])
    }

    /// A page of the log with ids and times parsed.
    pub fn read_page(&mut self, after: i64, limit: usize) -> Result<(i64, u64)> {
        page(&mut self.page, after, limit, parse_id, parse_time)
    }

    /// A page of the log with ids and times left as text.
    pub fn read_page_as_text(&mut self, after: i64, limit: usize) -> Result<(i64, u64)> {
        page(&mut self.page, after, limit, str::to_owned, str::to_owned)
    }

    /// A stream with ids and times parsed.
    pub fn read_stream(&mut self, aggregate_id: &str) -> Result<(i64, u64)> {
        stream(&mut self.stream, aggregate_id, parse_id, parse_time)
    }

    /// A stream with ids and times left as text.
    pub fn read_stream_as_text(&mut self, aggregate_id: &str) -> Result<(i64, u64)> {
        stream(&mut self.stream, aggregate_id, str::to_owned, str::to_owned)
    }

    pub fn database(&self) -> &Database {
        &self.database
    }
}

pub fn now_text() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true)
}

fn page<I, T>(
    statement: &mut Statement,
    after: i64,
    limit: usize,
    id: impl Fn(&str) -> I,
    time: impl Fn(&str) -> T,
) -> Result<(i64, u64)> {
    let rows = i64::try_from(limit).expect("a limit");
    let mut events = Vec::new();
    statement
        .run(&[Value::Integer(after), Value::Integer(rows)], |row| events.push(event(row, &id, &time)))?;
    Ok((events.last().map_or(after, |event| event.position), cents(&events)))
}

fn stream<I, T>(
    statement: &mut Statement,
    aggregate_id: &str,
    id: impl Fn(&str) -> I,
    time: impl Fn(&str) -> T,
) -> Result<(i64, u64)> {
    let mut events = Vec::new();
    let key = [Value::Text(NO_TENANT), Value::Text(AGGREGATE_TYPE), Value::Text(aggregate_id)];
    statement.run(&key, |row| events.push(event(row, &id, &time)))?;
    Ok((events.last().map_or(0, |event| event.version), cents(&events)))
}

fn event<I, T>(row: &Row<'_>, id: impl Fn(&str) -> I, time: impl Fn(&str) -> T) -> RawEvent<I, T> {
    RawEvent {
        position: row.integer(0),
        tenant_id: row.text(1).to_owned(),
        aggregate_type: row.text(2).to_owned(),
        aggregate_id: row.text(3).to_owned(),
        version: row.integer(4),
        event_id: id(row.text(5)),
        event_type: row.text(6).to_owned(),
        event_version: row.integer(7),
        payload: row.text(8).to_owned(),
        metadata: row.optional_text(9).map(str::to_owned),
        trace_id: row.optional_text(10).map(str::to_owned),
        correlation_id: row.optional_text(11).map(str::to_owned),
        causation_id: row.optional_text(12).map(str::to_owned),
        created_at: time(row.text(13)),
    }
}

fn parse_id(text: &str) -> Uuid {
    Uuid::try_parse(text).expect("a UUID")
}

fn parse_time(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).expect("a time").to_utc()
}

fn cents<I, T>(events: &[RawEvent<I, T>]) -> u64 {
    let orders = events.iter().map(|event| serde_json::from_str::<OrderPlaced>(&event.payload));
    orders.map(|order| order.expect("an order").cents()).sum()
}
