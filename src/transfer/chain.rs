use std::io;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::beside::{Ended, Feed, used_beside};
use crate::line::chain::{Chain, hex};
use crate::model::position::Position;
use crate::operate::links::{Link, each_link};
use crate::storage::connection::EventConnection;
use crate::storage::read::ReadError;

/// Of the events up to this position, also those that were archived.
pub(super) fn chain_of<C: EventConnection + ?Sized>(
    conn: &mut C,
    log_id: Uuid,
    up_to: Position,
) -> Result<Chain, ReadError> {
    chain_from(conn, (Position::START, Chain::of_log(log_id)), up_to)
}

/// The same, where the chain at a position is known.
pub(super) fn chain_from<C: EventConnection + ?Sized>(
    conn: &mut C,
    (after, mut chain): (Position, Chain),
    up_to: Position,
) -> Result<Chain, ReadError> {
    let (read, chain) = used_beside(
        |feed| each_link_to(conn, (after, up_to), feed),
        |links| {
            let mut line = Vec::new();
            for link in links {
                link.add_to(&mut chain, &mut line);
            }
            chain
        },
    )
    .map_err(no_thread)?;
    read?;
    Ok(chain)
}

/// Everything that the log has between two positions, for another thread.
pub(super) fn each_link_to<C: EventConnection + ?Sized>(
    conn: &mut C,
    (after, up_to): (Position, Position),
    feed: &mut Feed<Link>,
) -> Result<(), ReadError> {
    let read = each_link(conn, after, up_to, |link| {
        let bytes = link.bytes();
        Ok(feed.give(link, bytes)?)
    });
    match read {
        Err(Broken::Read(error)) => Err(error),
        // The other half says why.
        Ok(()) | Err(Broken::Ended) => Ok(()),
    }
}

/// The system has none left.
fn no_thread(error: io::Error) -> diesel::result::Error {
    diesel::result::Error::QueryBuilderError(error.into())
}

enum Broken {
    Read(ReadError),
    Ended,
}

impl From<ReadError> for Broken {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

impl From<Ended> for Broken {
    fn from(Ended: Ended) -> Self {
        Self::Ended
    }
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
