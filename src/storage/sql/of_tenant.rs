use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping};
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::result::QueryResult;
use diesel::sql_types::Bool;

use crate::storage::sql::dialect::Dialect;

/// Whether an event is of this tenant. Not by the index of the streams, which the tenant leads: for each page a
/// database could read and sort every event of the tenant. Without an index it reads in the order of the
/// positions, and stops when the page is full.
#[derive(Debug, ValidGrouping)]
pub(crate) struct OfTenant<'a>(pub(crate) &'a str);

impl Expression for OfTenant<'_> {
    type SqlType = Bool;
}

impl<QS> SelectableExpression<QS> for OfTenant<'_> {}
impl<QS> AppearsOnTable<QS> for OfTenant<'_> {}

impl<DB: Dialect> QueryFragment<DB> for OfTenant<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql(DB::TENANT_UNINDEXED);
        out.push_sql(" = ");
        DB::bind_text(&mut out, self.0)
    }
}
