use diesel::result::QueryResult;

use crate::model::repaired::Repaired;
use crate::storage::operations::operations;

operations! {
    pub(crate) trait Repair {
        /// Sets from the events what has to agree with them, once no append is under way.
        fn repair(&mut self) -> QueryResult<Repaired>;
    }
}
