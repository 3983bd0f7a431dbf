use std::io::{BufWriter, Write};

use uuid::Uuid;

use super::chain::Rest;
use super::error::ExportError;
use super::file::{Header, Trailer, write_check};
use super::keys::each_key;
use super::projections::Projections;
use super::rest_line::{write_key, write_parked, write_partition, write_start};
use crate::line::chain::Chain;
use crate::line::event_line;
use crate::model::log::LogQuery;
use crate::model::log_state::LogState;
use crate::model::position::Position;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::read::ReadError;
use crate::store::EventStore;

/// What was exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    log_id: Uuid,
    events: u64,
    end: Position,
    chain: String,
}

impl Exported {
    /// The id of the log.
    pub fn log_id(&self) -> Uuid {
        self.log_id
    }

    /// How many events are in the file.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Up to where the log was exported.
    pub fn end(&self) -> Position {
        self.end
    }

    /// A SHA-256 over all events, in hexadecimal digits. Kept elsewhere, it proves that the file, and the log
    /// up to there, were not changed since.
    pub fn chain(&self) -> &str {
        &self.chain
    }
}

/// Writes the whole log to `out`, with the checkpoints of projections, their parked events and idempotency
/// keys: a line of JSON for each, and a trailer that says that the file is whole. The same log makes the same
/// bytes on every database. The page [moving to a server](crate::guide::moving) describes the file.
///
/// It exports up to where the log is complete when it begins; appends go on meanwhile, and are not in the
/// file. It holds a page of events in memory, all checkpoints and parked events, and the names of the streams
/// that do not begin with version 1. Call it outside of transactions, where the newest events are found on
/// every database.
///
/// # Errors
///
/// [`ExportError`]: the file or the database has failed, or an import has filled the log only in part. The
/// file has no trailer then.
///
/// ```
/// # use diesel::prelude::*;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mut conn = SqliteConnection::establish(":memory:")?;
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// let mut file = Vec::new();
/// let exported = diesel_event_store::transfer::export(&mut conn, &mut file)?;
/// assert_eq!(exported.events(), 0);
/// assert!(file.starts_with(br#"{"diesel_event_store":"log","format":1,"#));
/// # Ok(())
/// # }
/// ```
pub fn export<C, W>(conn: &mut C, out: W) -> Result<Exported, ExportError>
where
    C: EventConnection + ?Sized,
    W: Write,
{
    let row = conn.database().log_row()?;
    let log_id = row.log_id;
    if let Some(closed) = row.closed().filter(|closed| closed.state() == LogState::Receiving) {
        return Err(ExportError::Receiving(closed));
    }
    // Before the end of the log, so that no checkpoint lies beyond it.
    let Projections { partitions, parked } = Projections::read(conn)?;
    let end = conn.database().last_position().map_err(ReadError::from)?;
    let mut file = File::begin(out, Header { log_id, end })?;
    for start in conn.database().stream_starts()? {
        file.other(|line| write_start(line, &start))?;
    }
    file.events(conn, end)?;
    for partition in &partitions {
        file.other(|line| write_partition(line, partition))?;
    }
    for (projection, parked) in &parked {
        file.other(|line| write_parked(line, projection, parked))?;
    }
    file.keys(conn, end)?;
    file.end()
}

/// A file that is being written.
struct File<W: Write> {
    out: BufWriter<W>,
    header: Header,
    line: Vec<u8>,
    chain: Chain,
    rest: Rest,
    events: u64,
    last_position: Position,
}

impl<W: Write> File<W> {
    fn begin(out: W, header: Header) -> Result<Self, ExportError> {
        let mut file = Self {
            out: BufWriter::with_capacity(1 << 20, out),
            line: Vec::new(),
            chain: Chain::of_log(header.log_id),
            rest: Rest::default(),
            events: 0,
            last_position: Position::START,
            header: header.clone(),
        };
        file.other(|line| header.write(line))?;
        Ok(file)
    }

    fn events<C>(&mut self, conn: &mut C, end: Position) -> Result<(), ExportError>
    where
        C: EventConnection + ?Sized,
    {
        for event in EventStore::new().iter_log(conn, LogQuery::after(Position::START)) {
            let event = event?;
            if event.position > end {
                break;
            }
            self.line.clear();
            event_line::write(&mut self.line, &event);
            write_check(&mut self.line, &mut self.chain);
            self.write_line()?;
            self.events += 1;
            self.last_position = event.position;
        }
        Ok(())
    }

    /// The idempotency keys of what is in the file, a page of them in memory.
    fn keys<C: EventConnection + ?Sized>(&mut self, conn: &mut C, end: Position) -> Result<(), ExportError> {
        each_key(conn, end, |key| self.other(|line| write_key(line, &key)))
    }

    /// A line that is not an event.
    fn other(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), ExportError> {
        self.line.clear();
        write(&mut self.line);
        self.rest.add(&self.line);
        self.write_line()
    }

    fn write_line(&mut self) -> Result<(), ExportError> {
        self.line.push(b'\n');
        Ok(self.out.write_all(&self.line)?)
    }

    fn end(mut self) -> Result<Exported, ExportError> {
        let (events, chain) = (self.events, self.chain.text());
        let rest = self.rest.clone().text();
        let trailer = Trailer { events, last_position: self.last_position, chain: chain.clone(), rest };
        self.line.clear();
        trailer.write(&mut self.line);
        self.write_line()?;
        self.out.flush()?;
        Ok(Exported { log_id: self.header.log_id, events, end: self.header.end, chain })
    }
}
