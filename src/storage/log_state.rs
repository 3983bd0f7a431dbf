use diesel::result::QueryResult;
use uuid::Uuid;

use crate::model::log_state::LogState;
use crate::storage::operations::operations;

/// Which log it is, and whether events can be appended to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogRow {
    pub(crate) log_id: Uuid,
    pub(crate) state: LogState,
    /// JSON; none of an open log.
    pub(crate) note: Option<String>,
}

operations! {
    pub(crate) trait LogStates {
        fn log_row(&mut self) -> QueryResult<LogRow>;
    }
}
