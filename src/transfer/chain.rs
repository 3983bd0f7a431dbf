use std::fmt::Write;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::event_line;
use crate::model::event::RecordedEvent;
use crate::model::log::LogQuery;
use crate::model::position::Position;
use crate::storage::connection::EventConnection;
use crate::storage::read::ReadError;
use crate::store::EventStore;

/// A hash over the lines of all events so far: of the one before, and of the newest line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chain([u8; 32]);

impl Chain {
    /// Of a log without events.
    pub(super) fn of_log(log_id: Uuid) -> Self {
        Self(Sha256::digest(log_id.to_string()).into())
    }

    /// With one more line, without what `check` puts behind it.
    pub(super) fn add(&mut self, line: &[u8]) {
        let both = Sha256::new().chain_update(self.0).chain_update(Sha256::digest(line));
        self.0 = both.finalize().into();
    }

    /// With one more event. `line` is room that is used again.
    pub(super) fn add_event(&mut self, line: &mut Vec<u8>, event: &RecordedEvent) {
        line.clear();
        event_line::write(line, event);
        self.add(line);
    }

    /// What stands in each line, so that the first wrong one is known.
    pub(super) fn check(self) -> String {
        hex(&self.0[..4])
    }

    pub(super) fn text(self) -> String {
        hex(&self.0)
    }
}

/// Of the events up to this position.
pub(super) fn chain_of<C: EventConnection + ?Sized>(
    conn: &mut C,
    log_id: Uuid,
    up_to: Position,
) -> Result<Chain, ReadError> {
    let (mut chain, mut line) = (Chain::of_log(log_id), Vec::new());
    for event in EventStore::new().iter_log(conn, LogQuery::after(Position::START)) {
        let event = event?;
        if event.position > up_to {
            break;
        }
        chain.add_event(&mut line, &event);
    }
    Ok(chain)
}

/// A hash over all lines that are not events.
#[derive(Default, Clone)]
pub(super) struct Rest(Sha256);

impl Rest {
    /// With one more line, and its end.
    pub(super) fn add(&mut self, line: &[u8]) {
        self.0.update(line);
        self.0.update(b"\n");
    }

    pub(super) fn text(self) -> String {
        hex(&self.0.finalize())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // a String takes everything
        text
    })
}
