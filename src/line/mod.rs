//! An event as a line of text, and the hash over all lines up to one. Both are the same on every database.

pub(crate) mod chain;
pub(crate) mod event_line;
pub(crate) mod object;
