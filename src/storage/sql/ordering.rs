use diesel::result::{Error, QueryResult};

use crate::model::ordering::LogOrdering;

/// The ordering of this name.
pub(crate) fn stored(name: &str) -> QueryResult<LogOrdering> {
    LogOrdering::stored(name)
        .ok_or_else(|| Error::DeserializationError(format!("the ordering is {name:?}").into()))
}
