//! What is left of an event that was archived. It adds to the chain what the event's line did.

use serde::Deserialize;

use super::encode::{compare, of_kind};
use super::error::FileProblem;
use crate::model::leaf::Leaf;
use crate::model::position::Position;

/// What every such line begins with.
pub(super) const BEGINNING: &str = "{\"gone\":";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    gone: Gone,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Gone {
    global_position: Position,
    leaf: Box<str>,
}

pub(super) fn write(line: &mut Vec<u8>, leaf: &Leaf) {
    of_kind(line, "gone", |object| {
        object.field("global_position", &leaf.position.get());
        object.field("leaf", &*leaf.hash);
    });
}

pub(super) fn read(line: &str) -> Result<Leaf, FileProblem> {
    let Line { gone } = serde_json::from_str(line)?;
    let leaf = Leaf { position: gone.global_position, hash: gone.leaf };
    if leaf.hash.len() != 64 || !leaf.hash.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
        return Err(FileProblem::malformed("leaf is no hash of 64 hexadecimal digits"));
    }
    let mut written = Vec::new();
    write(&mut written, &leaf);
    compare(line, &written).map(|()| leaf)
}
