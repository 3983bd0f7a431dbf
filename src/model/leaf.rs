use crate::model::position::Position;

/// What is left of an event that was archived: the hash that it adds to the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leaf {
    pub(crate) position: Position,
    /// Of the event's line, in hexadecimal digits.
    pub(crate) hash: Box<str>,
}
