//! Appends a file of events to an event store, reads everything back, and compares it with the file:
//! `cargo run --release --example replay_log FILE [DATABASE]`
//!
//! FILE has one event per line, as JSON, plain or compressed with gzip:
//!
//! ```json
//! {"aggregate_type": "User", "aggregate_id": "7", "event_type": "UserCreated",
//!  "created_at": "2010-10-02T07:20:39.266Z", "payload": {"name": "Alice"}}
//! ```
//!
//! FILE may be larger than memory. Default for DATABASE: a temporary file.

use std::collections::{HashMap, HashSet};
use std::error::Error;
use std::fs::File;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use diesel::prelude::*;
use diesel_event_store::chrono::{DateTime, SubsecRound, Utc};
use diesel_event_store::sqlite::{Options, Synchronous};
use diesel_event_store::{
    EventStore, ExpectedVersion, LogQuery, NewEvent, Position, RecordedEvent, StreamId,
};
use flate2::read::MultiGzDecoder;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;
use serde_json::value::RawValue;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    match replay(std::env::args_os().skip(1).map(PathBuf::from)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("replay_log: {error}");
            ExitCode::FAILURE
        }
    }
}

fn replay(mut arguments: impl Iterator<Item = PathBuf>) -> Outcome<()> {
    let file = arguments.next().ok_or("usage: replay_log FILE [DATABASE]")?;
    let folder = tempfile::tempdir()?;
    let database = arguments.next().unwrap_or_else(|| folder.path().join("replay.db"));
    let mut conn = open(&database).map_err(|error| format!("{}: {error}", database.display()))?;

    let started = Instant::now();
    let replayed = append(&mut conn, &file)?;
    let seconds = started.elapsed().as_secs_f64();
    compare_log(&mut conn, &file)?;
    compare_streams(&mut conn, &replayed)?;

    println!("Events:      {}", replayed.events);
    println!("Aggregates:  {}", replayed.streams.len());
    println!("Event types: {}", replayed.event_types.len());
    if let Some((stream, facts)) = replayed.streams.iter().max_by_key(|(_, facts)| facts.len()) {
        println!("Longest:     {stream} with {}", facts.len());
    }
    println!("Rate:        {:.0} per second, each in its own transaction", replayed.events as f64 / seconds);
    println!("\n✓ The log and every stream say what the file says.");
    Ok(())
}

fn open(database: &Path) -> Outcome<SqliteConnection> {
    let mut conn = SqliteConnection::establish(&database.to_string_lossy())?;
    // If the power fails the file is still there to replay, so there is no need to wait for the disk at each
    // event.
    Options::default().synchronous(Synchronous::Normal).apply(&mut conn)?;
    diesel_event_store::run_pending_migrations(&mut conn)?;
    if EventStore::new().last_position(&mut conn)? != Position::START {
        return Err("the database already contains events; name a new file".into());
    }
    Ok(conn)
}

/// What has been appended. It keeps only hashes of the facts, because the facts may not fit into memory.
#[derive(Default)]
struct Replayed {
    events: usize,
    event_types: HashSet<Box<str>>,
    streams: HashMap<StreamId, Vec<u64>>,
}

fn append(conn: &mut SqliteConnection, file: &Path) -> Outcome<Replayed> {
    let bar = progress("appending", 0);
    let mut replayed = Replayed::default();
    for fact in facts(file, &bar)? {
        let fact = fact?;
        let line = replayed.events + 1;
        append_fact(conn, &fact).map_err(|error| format!("{}, line {line}: {error}", file.display()))?;

        replayed.events += 1;
        replayed.streams.entry(fact.stream.clone()).or_default().push(hash(&fact));
        replayed.event_types.insert(fact.event_type);
    }
    bar.finish_and_clear();
    Ok(replayed)
}

fn append_fact(conn: &mut SqliteConnection, fact: &Fact) -> Outcome<()> {
    let event = NewEvent::from_json(fact.event_type.to_string(), &*fact.payload)?.created_at(fact.created_at);
    let expected = ExpectedVersion::Exact(fact.version - 1);
    let appended = EventStore::new().append(conn, &fact.stream, expected, &[event])?;
    assert_eq!(appended.version(), fact.version);
    Ok(())
}

/// Checks that the log has the lines of the file, in order, and nothing else.
fn compare_log(conn: &mut SqliteConnection, file: &Path) -> Outcome<()> {
    let bar = progress("comparing the log", 0);
    let mut log = EventStore::new().iter_log(conn, LogQuery::after(Position::START));
    let mut last_position = Position::START;
    for fact in facts(file, &bar)? {
        let event = log.next().ok_or("the log ends before the file")??;
        assert!(event.position() > last_position, "positions grow");
        last_position = event.position();
        assert_eq!(Fact::from(event), fact?);
    }
    assert!(log.next().is_none(), "the log continues after the end of the file");
    bar.finish_and_clear();
    Ok(())
}

/// Checks that every stream has its lines of the file, in order, and nothing else.
fn compare_streams(conn: &mut SqliteConnection, replayed: &Replayed) -> Outcome<()> {
    let bar = progress("comparing the streams", replayed.events as u64);
    for (id, facts) in &replayed.streams {
        let stream = EventStore::new().read_stream(conn, id, ..)?;
        assert_eq!(stream.version(), facts.len() as i64, "version of {id}");
        let read: Vec<u64> = stream.into_iter().map(|event| hash(&Fact::from(event))).collect();
        assert_eq!(&read, facts, "events of {id}");
        bar.inc(facts.len() as u64);
    }
    bar.finish_and_clear();
    Ok(())
}

/// All that a line says of an event, its version being the number of lines its aggregate has had so far.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Fact {
    stream: StreamId,
    version: i64,
    event_type: Box<str>,
    created_at: DateTime<Utc>,
    payload: Box<str>,
}

impl From<RecordedEvent> for Fact {
    fn from(event: RecordedEvent) -> Self {
        Fact {
            stream: event.stream().clone(),
            version: event.version(),
            event_type: event.event_type().into(),
            created_at: event.created_at(),
            payload: event.payload_json().into(),
        }
    }
}

fn hash(fact: &Fact) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(fact)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    aggregate_type: String,
    aggregate_id: String,
    event_type: Box<str>,
    created_at: String,
    payload: Box<RawValue>,
}

/// The facts of a file, line by line; an error names the line.
fn facts(file: &Path, bar: &ProgressBar) -> Outcome<impl Iterator<Item = Outcome<Fact>>> {
    let mut versions = HashMap::new();
    let lines = text(file, bar).map_err(|error| format!("{}: {error}", file.display()))?.lines();
    let file = file.display().to_string();
    Ok((1..).zip(lines).map(move |(number, line)| {
        line.map_err(Into::into)
            .and_then(|line| read_fact(&line, &mut versions))
            .map_err(|error| format!("{file}, line {number}: {error}").into())
    }))
}

fn read_fact(line: &str, versions: &mut HashMap<StreamId, i64>) -> Outcome<Fact> {
    // The parser gets one line at a time, so it calls each one line 1.
    let Line { aggregate_type, aggregate_id, event_type, created_at, payload } =
        serde_json::from_str(line)
            .map_err(|error| error.to_string().replace("at line 1 column", "at column"))?;
    let created_at = created_at
        .parse::<DateTime<Utc>>()
        .map_err(|error| format!("created_at {created_at:?} is not a time: {error}"))?
        .trunc_subsecs(6); // the event store keeps microseconds
    let stream = StreamId::new(aggregate_type, aggregate_id)?;
    let version = versions.entry(stream.clone()).or_insert(0);
    *version += 1;
    Ok(Fact { version: *version, stream, event_type, created_at, payload: payload.into() })
}

/// The text of a file, decompressed if it begins like gzip. The bar follows what is read from the disk.
fn text(file: &Path, bar: &ProgressBar) -> std::io::Result<Box<dyn BufRead>> {
    let file = File::open(file)?;
    bar.set_length(file.metadata()?.len());
    let mut bytes = BufReader::new(bar.wrap_read(file));
    let is_gzip = bytes.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    let text: Box<dyn Read> = if is_gzip { Box::new(MultiGzDecoder::new(bytes)) } else { Box::new(bytes) };
    Ok(Box::new(BufReader::new(text)))
}

fn progress(what: &'static str, length: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:22} {wide_bar} {percent:>3} %, {eta} left");
    ProgressBar::new(length).with_style(style.expect("a valid template")).with_message(what)
}
