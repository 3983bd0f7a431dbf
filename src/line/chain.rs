use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::event_line;
use crate::model::event::RecordedEvent;
use crate::model::leaf::Leaf;

/// Of the line of one event.
pub(crate) type LineHash = [u8; 32];

/// A hash over the lines of all events so far: of the one before, and of the newest line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chain([u8; 32]);

impl Chain {
    /// Of a log without events.
    pub(crate) fn of_log(log_id: Uuid) -> Self {
        Self(Sha256::digest(log_id.to_string()).into())
    }

    /// With one more line, without what `check` puts behind it.
    #[cfg(all(feature = "transfer", feature = "_blocking"))]
    pub(crate) fn add(&mut self, line: &[u8]) {
        self.add_hash(hash_of_line(line));
    }

    /// With the hash of one more line.
    pub(crate) fn add_hash(&mut self, hash: LineHash) {
        self.0 = Sha256::new().chain_update(self.0).chain_update(hash).finalize().into();
    }

    /// What stands in each line of a file, so that the first wrong one is known.
    #[cfg(all(feature = "transfer", feature = "_blocking"))]
    pub(crate) fn check(self) -> String {
        hex(&self.0[..4])
    }

    /// An id that only the same lines have, as a UUIDv8.
    #[cfg(all(feature = "transfer", feature = "_blocking"))]
    pub(crate) fn id(self) -> Uuid {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&self.0[..16]);
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    }

    pub(crate) fn text(self) -> String {
        hex(&self.0)
    }

    /// None if it is no chain.
    pub(crate) fn read(text: &str) -> Option<Self> {
        digits(text).map(Self)
    }
}

pub(crate) fn hash_of_line(line: &[u8]) -> LineHash {
    Sha256::digest(line).into()
}

/// `line` is room that is used again.
pub(crate) fn hash_of_event(line: &mut Vec<u8>, event: &RecordedEvent) -> LineHash {
    line.clear();
    event_line::write(line, event);
    hash_of_line(line)
}

/// Of an event of which only this is left. What is no hash, because it was changed by hand, fits nothing.
pub(crate) fn hash_of_leaf(leaf: &Leaf) -> LineHash {
    digits(&leaf.hash).unwrap_or_default()
}

/// What stays of the event when it is archived. `line` is room that is used again.
#[cfg(all(feature = "transfer", feature = "_blocking"))]
pub(crate) fn leaf(line: &mut Vec<u8>, event: &RecordedEvent) -> Leaf {
    Leaf { position: event.position, hash: hex(&hash_of_event(line, event)).into() }
}

fn digits(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    let mut bytes = [0; 32];
    if digits.len() != 2 * bytes.len() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| DIGITS[usize::from(digit)] as char)
        .collect()
}
