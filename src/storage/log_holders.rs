#[cfg(any(feature = "_postgres", feature = "_mysql"))]
use chrono::DateTime;
use diesel::result::QueryResult;

use crate::model::log_status::LogHolder;
use crate::model::position::Position;
use crate::storage::operations::operations;

operations! {
    pub(crate) trait LogHolders {
        /// The open transactions that keep events from being read which are committed up to a position, as
        /// far as the database tells.
        fn log_holders(&mut self, committed: Position) -> QueryResult<Vec<LogHolder>>;
    }
}

/// Since is in milliseconds since 1970.
#[cfg(any(feature = "_postgres", feature = "_mysql"))]
pub(crate) fn holder(process: Option<i64>, name: Option<String>, since: Option<i64>) -> LogHolder {
    LogHolder { process, name, since: since.and_then(DateTime::from_timestamp_millis) }
}
