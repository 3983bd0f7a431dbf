use crate::model::log::{LogQuery, LogSlice};
use crate::model::stream::check_limit;
use crate::storage::lent::Blocking;
use crate::storage::read::ReadError;

pub(crate) fn read(
    mut database: Blocking<'_>,
    query: &LogQuery,
    limit: usize,
) -> Result<LogSlice, ReadError> {
    let limit = check_limit(limit)?;
    query.validate()?;
    Ok(database.read_log(query, limit)?)
}
