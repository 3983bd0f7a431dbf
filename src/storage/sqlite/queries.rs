use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping};
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::Bool;
use diesel::sqlite::Sqlite;

use crate::storage::sql::queries::queries;

macro_rules! is_one_of {
    ($column:expr, $names:expr) => {
        IsOneOf { column: $column, names: serde_json::Value::from(&$names[..]).to_string() }
    };
}

macro_rules! every {
    ($query:expr) => {
        $query
    };
}

queries! { for Sqlite; schema: sqlite; time: Text; is_one_of: is_one_of; every: every }

/// Whether a column has one of several values, which travel as one JSON array: unlike `eq_any`, the statement
/// is the same for any number of them, and stays prepared.
///
/// The plus keeps SQLite from looking the column up in an index, as it would in that of the streams: for each
/// page it would read and sort every event of the type. Without an index it reads in the order of the
/// positions, and stops when the page is full.
#[derive(Debug, QueryId, ValidGrouping)]
struct IsOneOf<C> {
    column: C,
    names: String,
}

impl<C: Expression> Expression for IsOneOf<C> {
    type SqlType = Bool;
}

impl<C, QS> SelectableExpression<QS> for IsOneOf<C> where C: SelectableExpression<QS> {}
impl<C, QS> AppearsOnTable<QS> for IsOneOf<C> where C: AppearsOnTable<QS> {}

impl<C: QueryFragment<Sqlite>> QueryFragment<Sqlite> for IsOneOf<C> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("+");
        self.column.walk_ast(out.reborrow())?;
        out.push_sql(" IN (SELECT value FROM json_each(");
        out.push_bind_param::<Text, _>(&self.names)?;
        out.push_sql("))");
        Ok(())
    }
}
