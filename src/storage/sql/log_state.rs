//! The statements on `event_log` that every database has.

use diesel::deserialize;
use diesel::expression::QueryMetadata;
use diesel::result::QueryResult;
use diesel::row::Row;
use diesel::sql_types::{Nullable, Text};

use crate::model::log_state::LogState;
use crate::storage::executor::Executor;
use crate::storage::lent::{BackendOf, Lent};
use crate::storage::log_state::{LogRow, LogStates};
use crate::storage::refused::Refused;
use crate::storage::sql::dialect::{Dialect, Id};
use crate::storage::sql::row::{Columns, optional, value, word};
use crate::storage::sql::rows::{FromRow, Stored};
use crate::storage::sql::statement::statement;

type LogColumns = (Id, Text, Nullable<Text>);

impl<DB: Columns> FromRow<DB> for LogRow {
    fn from_row<'r>(row: &impl Row<'r, DB>) -> deserialize::Result<Self> {
        Ok(Self {
            log_id: value(row, 0, DB::id)?,
            state: word(row, 1, "the state of the log", LogState::stored)?,
            note: optional(row, 2, DB::text)?.map(Into::into),
        })
    }
}

statement! {
    for every database;
    SelectLog -> LogColumns,
    "SELECT log_id, state, note FROM event_log WHERE id = 1"
}

impl<L> LogStates for L
where
    L: Lent,
    BackendOf<L>: Dialect + QueryMetadata<LogColumns>,
{
    async fn log_row(&mut self) -> QueryResult<LogRow> {
        let mut rows = self.connection().load(SelectLog, Stored::default()).await?;
        rows.pop().ok_or_else(Refused::without_log_row)
    }
}
