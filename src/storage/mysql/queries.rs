use diesel::mysql::Mysql;
use diesel::sql_types::Datetime;

use crate::storage::sql::queries::queries;

macro_rules! is_one_of {
    ($column:expr, $names:expr) => {
        $column.eq_any($names)
    };
}

queries! { for Mysql; schema: mysql; time: Datetime; is_one_of: is_one_of }
