//! What a repeated request gets: the events of the first one, read again.

use crate::model::append_key::{KeyedAppend, fingerprint};
use crate::model::appended::Appended;
use crate::model::batch_appended::BatchAppended;
use crate::model::direction::Direction;
use crate::model::event::RecordedEvent;
use crate::model::position::Position;
use crate::model::stream::StreamPart;
use crate::model::stream_id::StreamId;
use crate::storage::append::{AppendError, Batch};
use crate::storage::append_many::WholeBatch;
use crate::storage::keys::Keys;
use crate::storage::read::Read;

/// How many events of a stream are in memory at the same time, beside those that are looked for.
const PAGE: i64 = 100;

/// The result that the same batch had before.
pub(crate) async fn batch<D: Read + Keys>(
    database: &mut D,
    whole: &WholeBatch<'_>,
    append: KeyedAppend,
) -> Result<BatchAppended, AppendError> {
    let new = whole.key.as_ref().expect("only a batch with a key can have been appended before");
    let first = first_event(database, new.key, append).await?;
    if append.fingerprint != new.append.fingerprint {
        return Err(AppendError::key_reused(new.key, Some(first)));
    }
    let mut streams = Vec::with_capacity(whole.streams.len());
    for of in &whole.streams {
        let part = part(database, of, first.position()).await?;
        streams.push(part.ok_or_else(|| AppendError::key_reused(new.key, None))?);
    }
    Ok(BatchAppended { streams, is_repeat: true })
}

/// The events that were appended to the stream with this key, if it was used. With another stream the key is
/// refused.
pub(crate) async fn events<D: Read + Keys>(
    database: &mut D,
    stream: &StreamId,
    key: &str,
) -> Result<Option<Vec<RecordedEvent>>, AppendError> {
    let Some(append) = database.keyed_append(stream.tenant_column(), key).await? else { return Ok(None) };
    let first = first_event(database, key, append).await?;
    let to = first.version() + append.event_count - 1;
    let part = StreamPart { from: first.version(), to, direction: Direction::Forward };
    let events = database.read_stream(&first.stream, part).await?;
    let contents = events.iter().map(|event| (event.stream(), &event.content));
    if first.stream() != stream || fingerprint(contents) != append.fingerprint {
        return Err(AppendError::key_reused(key, Some(first)));
    }
    Ok(Some(events))
}

async fn first_event<D: Read + Keys>(
    database: &mut D,
    key: &str,
    append: KeyedAppend,
) -> Result<RecordedEvent, AppendError> {
    let first = database.read_event(append.first_event_id).await?;
    first.ok_or_else(|| AppendError::key_reused(key, None))
}

/// The first events of the stream from this position on, as many as the batch has. Until the batch was
/// committed it held the stream, so no others are among them. They are looked for from the end: a request is
/// repeated soon, or not at all.
async fn part<D: Read + Keys>(
    database: &mut D,
    batch: &Batch<'_>,
    position: Position,
) -> Result<Option<Appended>, AppendError> {
    let (mut events, mut to) = (Vec::new(), database.version(batch.stream).await?);
    while to > 0 {
        let from = (to - PAGE + 1).max(1);
        let page = StreamPart { from, to, direction: Direction::Forward };
        let mut page = database.read_stream(batch.stream, page).await?;
        let before = page.partition_point(|event| event.position() < position);
        let mut since = page.split_off(before);
        since.append(&mut events);
        since.truncate(batch.events.len());
        events = since;
        if before > 0 {
            break;
        }
        to = from - 1;
    }
    let is_whole = events.len() == batch.events.len();
    Ok(is_whole.then(|| Appended { previous_version: events[0].version() - 1, events }))
}
