use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping};
use diesel::mysql::Mysql;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::{Bool, Datetime};

use super::guards::same_texts;
use crate::storage::sql::queries::queries;

macro_rules! is_one_of {
    ($column:expr, $names:expr) => {
        $column.eq_any($names)
    };
}

/// A session may have a limit of its own (sql_select_limit), for what has none.
macro_rules! every {
    ($query:expr) => {
        $query.filter(AsTheyAre).limit(i64::MAX)
    };
}

queries! { for Mysql; schema: mysql; time: Datetime; is_one_of: is_one_of; every: every }

/// Refuses a session whose character set changes texts.
#[derive(Debug, QueryId, ValidGrouping)]
pub(super) struct AsTheyAre;

impl Expression for AsTheyAre {
    type SqlType = Bool;
}

impl<QS> SelectableExpression<QS> for AsTheyAre {}
impl<QS> AppearsOnTable<QS> for AsTheyAre {}

impl QueryFragment<Mysql> for AsTheyAre {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Mysql>) -> QueryResult<()> {
        out.push_sql(same_texts!());
        Ok(())
    }
}
