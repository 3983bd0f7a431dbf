//! What the databases' SQL has in common.

pub(crate) mod queries;
pub(crate) mod row;
pub(crate) mod statement;
