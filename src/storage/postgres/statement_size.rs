use diesel::result::QueryResult;

use crate::model::event::NewEvent;
use crate::model::json::Json;
use crate::storage::append::Batch;
use crate::storage::error_kind::DatabaseErrorKind;
use crate::storage::refused::Refused;

/// The server takes no longer message than 1 GiB, and closes the connection. What is beside the events fits
/// in a megabyte.
const MOST_BYTES: usize = (1 << 30) - (1 << 20);

/// More than an event takes beside its texts: ids, numbers, the time, and the length of each.
const EVENT_BYTES: usize = 128;

/// Refuses a batch whose events do not fit into one statement.
pub(super) fn refuse_too_large(batch: &Batch<'_>) -> QueryResult<()> {
    let bytes: usize = batch.events.iter().map(event_bytes).sum();
    if bytes <= MOST_BYTES {
        return Ok(());
    }
    let reason = format!("the events of {} have {bytes} bytes; {MOST_BYTES} fit", batch.stream);
    Err(Refused::error(DatabaseErrorKind::TooLarge, reason))
}

fn event_bytes(event: &NewEvent) -> usize {
    let content = &event.content;
    let names = [&content.trace_id, &content.correlation_id, &content.causation_id];
    let names: usize = names.into_iter().flatten().map(|name| name.len()).sum();
    let metadata = content.metadata.as_ref().map_or(0, |json: &Json| json.as_str().len());
    EVENT_BYTES + content.payload.as_str().len() + metadata + content.event_type.len() + names
}
