use chrono::{DateTime, Utc};
use diesel::result::QueryResult;

use crate::model::append_key::KeyedAppend;
use crate::storage::operations::operations;

operations! {
    /// The keys of requests that were carried out.
    pub(crate) trait Keys {
        /// What the key was used for.
        fn keyed_append(&mut self, tenant_id: &str, key: &str) -> QueryResult<Option<KeyedAppend>>;

        /// Of all tenants. Returns how many there were.
        fn delete_keys_before(&mut self, time: DateTime<Utc>) -> QueryResult<usize>;
    }
}
