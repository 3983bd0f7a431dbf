use diesel::deserialize;
use diesel::row::Row;

use crate::model::checkpoint::Checkpoint;
use crate::model::position::Position;
use crate::storage::sql::row::{Columns, value};
use crate::storage::sql::rows::FromRow;

/// In the order of the columns that `queries!` selects.
impl<DB: Columns> FromRow<DB> for Checkpoint {
    fn from_row<'r>(row: &impl Row<'r, DB>) -> deserialize::Result<Self> {
        Ok(Self {
            projection_name: value(row, 0, DB::text)?.into(),
            projection_version: value(row, 1, DB::integer)?,
            partition: value(row, 2, DB::integer)?,
            position: Position::stored(value(row, 3, DB::long)?),
            updated_at: value(row, 4, DB::time)?,
        })
    }
}
