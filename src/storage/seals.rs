use diesel::result::QueryResult;

use crate::model::seal::Seal;
use crate::storage::operations::operations;

operations! {
    pub(crate) trait Seals {
        /// In the order of their positions.
        fn seals(&mut self) -> QueryResult<Vec<Seal>>;

        fn last_seal(&mut self) -> QueryResult<Option<Seal>>;

        /// Fails as a unique violation if there is one at this position.
        fn insert_seal(&mut self, seal: &Seal) -> QueryResult<()>;
    }
}
