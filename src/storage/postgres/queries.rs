use diesel::define_sql_function;
use diesel::pg::Pg;
use diesel::sql_types::Timestamptz;

use crate::storage::sql::queries::queries;

/// `= ANY ($1)`: the same statement for any number of names.
macro_rules! is_one_of {
    ($column:expr, $names:expr) => {
        $column.eq_any($names)
    };
}

macro_rules! every {
    ($query:expr) => {
        $query
    };
}

define_sql_function! {
    /// Is true, or an error.
    fn event_store_is_sound() -> Bool;
}

queries! { for Pg; schema: postgres; time: Timestamptz; is_one_of: is_one_of; every: every }
