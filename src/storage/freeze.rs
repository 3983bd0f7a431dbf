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

        /// Lets appends begin again, and workers have again what a copy has taken from them. A log that is not
        /// frozen with this note is left as it is: `false`.
        fn unfreeze(&mut self, note: &str) -> QueryResult<bool>;

        /// What keeps events out agrees with the state of the log, whatever attempts that have failed have
        /// left.
        fn settle(&mut self) -> QueryResult<()>;

        /// The transactions that are in the way, as far as the database tells.
        fn in_the_way(&mut self) -> QueryResult<Vec<LogHolder>>;
    }
}
