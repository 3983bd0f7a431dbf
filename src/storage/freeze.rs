use diesel::result::QueryResult;

use crate::model::log_status::LogHolder;
use crate::storage::operations::operations;

operations! {
    /// Closing a log that has events, and opening it again; outside of transactions. Appends that wait behind
    /// one of these must not wait for long, so it soon gives up as `Locked`, and is tried again.
    pub(crate) trait Freeze {
        /// Lets no more appends begin once those that are under way have ended. Leaves a log that is not open
        /// as it is.
        fn freeze(&mut self, note: &str) -> QueryResult<()>;

        /// Lets appends begin again. Leaves a log that is not frozen as it is.
        fn unfreeze(&mut self) -> QueryResult<()>;

        /// The transactions that are in the way, as far as the database tells.
        fn in_the_way(&mut self) -> QueryResult<Vec<LogHolder>>;
    }
}
