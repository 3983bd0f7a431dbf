use crate::model::log::{LogQuery, LogSlice};
use crate::model::stream::check_limit;
use crate::storage::backend::Backend;
use crate::storage::read::ReadError;

pub(crate) fn read(backend: &mut dyn Backend, query: &LogQuery, limit: usize) -> Result<LogSlice, ReadError> {
    let limit = check_limit(limit)?;
    query.validate()?;
    Ok(backend.read_log(query, limit)?)
}
