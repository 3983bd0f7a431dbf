//! Where the log ends and the events up to there are two questions. A proxy that splits reads from writes may
//! put them to two servers, and the second may not have those events yet.

use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping};
use diesel::mysql::Mysql;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::{Error, QueryResult};
use diesel::sql_types::{BigInt, Bool};

use crate::model::ordering::LogOrdering;
use crate::model::position::Position;
use crate::storage::error_kind::DatabaseErrorKind;
use crate::storage::refused::Refused;

/// Whether the server that is asked has all events up to there: it has the row that says so, or, if positions
/// are counted, an event that is not before. If not, the sum is too large, which is an error. The server finds
/// out before it looks for rows.
#[derive(Debug, ValidGrouping)]
pub(super) struct IsHere {
    complete: i64,
    ordering: LogOrdering,
}

impl IsHere {
    pub(super) fn up_to(complete: Position, ordering: LogOrdering) -> Self {
        Self { complete: complete.get(), ordering }
    }
}

impl Expression for IsHere {
    type SqlType = Bool;
}

impl<QS> SelectableExpression<QS> for IsHere {}
impl<QS> AppearsOnTable<QS> for IsHere {}

impl QueryId for IsHere {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl QueryFragment<Mysql> for IsHere {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Mysql>) -> QueryResult<()> {
        out.push_sql(match self.ordering {
            LogOrdering::Fenced => "~0 + ((SELECT safe_position FROM event_log WHERE id = 1) < ",
            LogOrdering::Gapless => "~0 + ((SELECT COALESCE(MAX(global_position), 0) FROM events) < ",
        });
        out.push_bind_param::<BigInt, _>(&self.complete)?;
        out.push_sql(")");
        Ok(())
    }
}

/// Whether that sum was too large.
pub(super) fn refuse_elsewhere(error: Error, complete: Position) -> Error {
    if !is_too_large(&error) {
        return error;
    }
    let reason = format!(
        "the log ends at position {complete} on one server, and another one, which was asked for events, does \
         not have all of them"
    );
    Refused::error(DatabaseErrorKind::OtherServer, reason)
}

fn is_too_large(error: &Error) -> bool {
    const BEGINNING: &str = "BIGINT UNSIGNED value is out of range in ";
    matches!(error, Error::DatabaseError(_, information) if information.message().starts_with(BEGINNING))
}
