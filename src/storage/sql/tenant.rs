use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping};
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::{Bool, Text};

use crate::storage::sql::dialect::Dialect;

/// A tenant, or the empty text of none.
#[derive(Debug, ValidGrouping)]
pub(crate) struct Tenant<'a>(pub(crate) &'a str);

/// Whether an event is of this tenant. Not by the index of the streams, which the tenant leads: for each page
/// a database could read and sort every event of the tenant. Without an index it reads in the order of the
/// positions, and stops when the page is full.
#[derive(Debug, ValidGrouping)]
pub(crate) struct OfTenant<'a>(pub(crate) &'a str);

impl Expression for Tenant<'_> {
    type SqlType = Text;
}

impl<QS> SelectableExpression<QS> for Tenant<'_> {}
impl<QS> AppearsOnTable<QS> for Tenant<'_> {}

impl QueryId for Tenant<'_> {
    type QueryId = Tenant<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<DB: Dialect> QueryFragment<DB> for Tenant<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        DB::bind_tenant(&mut out, self.0)
    }
}

impl Expression for OfTenant<'_> {
    type SqlType = Bool;
}

impl<QS> SelectableExpression<QS> for OfTenant<'_> {}
impl<QS> AppearsOnTable<QS> for OfTenant<'_> {}

impl<DB: Dialect> QueryFragment<DB> for OfTenant<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        let (before, after) = DB::OF_TENANT;
        out.push_sql(before);
        DB::bind_text(&mut out, self.0)?;
        out.push_sql(after);
        Ok(())
    }
}
