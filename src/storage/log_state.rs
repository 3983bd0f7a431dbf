use diesel::result::QueryResult;
use uuid::Uuid;

use crate::model::log_state::{LogClosed, LogState};
use crate::storage::operations::operations;

/// Which log it is, and whether events can be appended to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogRow {
    pub(crate) log_id: Uuid,
    pub(crate) state: LogState,
    /// JSON; none of an open log.
    pub(crate) note: Option<String>,
}

impl LogRow {
    /// Why the log takes no events; `None` if it is open.
    pub(crate) fn closed(self) -> Option<LogClosed> {
        let is_closed = self.state != LogState::Open;
        is_closed.then(|| LogClosed { state: self.state, note: self.note.unwrap_or_default() })
    }
}

operations! {
    pub(crate) trait LogStates {
        fn log_row(&mut self) -> QueryResult<LogRow>;
    }
}
