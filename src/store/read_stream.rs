use crate::model::direction::Direction;
use crate::model::stream::{StreamPart, StreamQuery, StreamSlice, check_limit};
use crate::model::stream_id::StreamId;
use crate::storage::lent::Blocking;
use crate::storage::read::ReadError;

pub(crate) fn read(
    mut database: Blocking<'_>,
    stream: &StreamId,
    query: &StreamQuery,
) -> Result<StreamSlice, ReadError> {
    query.validate()?;
    let part = limited(&mut database, stream, query)?;
    let events = database.read_stream(stream, part)?;
    let highest = match part.direction {
        Direction::Forward => events.last(),
        Direction::Backward => events.first(),
    };
    let version = match highest {
        Some(event) => event.version(),
        // Nothing lay in the range at that moment. What has been appended since is not known to the caller.
        None => database.version(stream)?.min((part.from - 1).max(0)),
    };
    Ok(StreamSlice { version, events })
}

/// Turns a limit into a range.
fn limited(
    database: &mut Blocking<'_>,
    stream: &StreamId,
    query: &StreamQuery,
) -> Result<StreamPart, ReadError> {
    let StreamQuery { mut from, mut to, direction, limit } = *query;
    if let Some(limit) = limit {
        let span = check_limit(limit)? - 1;
        match direction {
            Direction::Forward => to = to.min(from.max(1).saturating_add(span)),
            Direction::Backward => {
                to = to.min(database.version(stream)?);
                from = from.max(to.saturating_sub(span));
            }
        }
    }
    Ok(StreamPart { from, to, direction })
}
