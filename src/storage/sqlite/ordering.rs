use diesel::result::QueryResult;

use super::read;
use crate::model::invalid::{InvalidInput, Problem};
use crate::model::ordering::LogOrdering;
use crate::model::position::Position;
use crate::storage::lent::Sqlite;
use crate::storage::ordering::{Ordering, OrderingError};

impl Ordering for Sqlite<'_> {
    async fn log_ordering(&mut self) -> QueryResult<LogOrdering> {
        Ok(LogOrdering::Gapless)
    }

    async fn set_log_ordering(&mut self, ordering: LogOrdering) -> Result<(), OrderingError> {
        match ordering {
            LogOrdering::Gapless => Ok(()),
            LogOrdering::Fenced => {
                Err(InvalidInput::new("ordering", Problem::OrderingNotAvailable { ordering }).into())
            }
        }
    }

    /// Every reader finds the position out by itself.
    async fn publish_position(&mut self) -> QueryResult<Position> {
        read::last_position(self.0)
    }
}
