use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::line::chain::{Chain, hex};
use crate::model::position::Position;
use crate::operate::links::each_hashed;
use crate::storage::connection::EventConnection;
use crate::storage::read::ReadError;

/// Of the events up to this position, also those that were archived.
pub(super) fn chain_of<C: EventConnection + ?Sized>(
    conn: &mut C,
    log_id: Uuid,
    up_to: Position,
) -> Result<Chain, ReadError> {
    let mut chain = Chain::of_log(log_id);
    each_hashed(conn, Position::START, up_to, |_, hash| -> Result<(), ReadError> {
        chain.add_hash(hash);
        Ok(())
    })?;
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

    /// What a line ends with that begins with this text, so that the first wrong line is known.
    pub(super) fn check(&self, text: &[u8]) -> String {
        let mut next = self.0.clone();
        next.update(text);
        hex(&next.finalize()[..4])
    }

    pub(super) fn text(self) -> String {
        hex(&self.0.finalize())
    }
}
