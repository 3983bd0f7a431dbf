use std::hash::Hasher;

use chrono::{DateTime, Utc};
use twox_hash::XxHash64;
use uuid::Uuid;

use crate::model::event::Content;
use crate::model::json_hash::json_hash;
use crate::model::stream_id::StreamId;

/// An idempotency key that an append is going to use.
pub(crate) struct NewKey<'a> {
    pub(crate) tenant_id: &'a str,
    pub(crate) key: &'a str,
    pub(crate) append: KeyedAppend,
    pub(crate) now: DateTime<Utc>,
}

/// The append that a key was used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyedAppend {
    pub(crate) fingerprint: i64,
    pub(crate) first_event_id: Uuid,
    pub(crate) event_count: i64,
}

/// A number that two requests have in common if they append the same events to the same streams, whatever
/// the order in which their maps are written. It is stored, so it must be the same on every machine and in every version.
pub(crate) fn fingerprint<'a>(events: impl IntoIterator<Item = (&'a StreamId, &'a Content)>) -> i64 {
    let mut hasher = XxHash64::with_seed(0);
    for (stream, content) in events {
        for text in
            [stream.tenant_column(), stream.aggregate_type(), stream.aggregate_id(), &content.event_type]
        {
            hasher.write(&(text.len() as u64).to_le_bytes());
            hasher.write(text.as_bytes());
        }
        hasher.write(&content.event_version.to_le_bytes());
        hasher.write(&json_hash(content.payload.as_str()).to_le_bytes());
    }
    hasher.finish() as i64
}

#[cfg(test)]
mod tests {
    use super::fingerprint;
    use crate::model::event::NewEvent;
    use crate::model::invalid::InvalidInput;
    use crate::model::stream_id::StreamId;

    /// What was stored by an older version of the crate must still be found to be the same.
    #[test]
    fn it_is_the_same_for_ever() -> Result<(), InvalidInput> {
        let stream = StreamId::new("Order", "o-1")?.in_tenant("acme")?;
        let event = NewEvent::new("OrderPlaced", &7)?.event_version(2);
        assert_eq!(fingerprint([(&stream, &event.content)]), 2_726_728_710_900_538_032);
        Ok(())
    }
}
