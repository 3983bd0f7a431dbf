use uuid::Uuid;

use super::object::Object;
use crate::model::event::RecordedEvent;

pub(crate) const PAYLOAD: [&str; 2] = ["payload", "payload_text"];
pub(crate) const METADATA: [&str; 2] = ["metadata", "metadata_text"];

/// The columns in their order, without `check`, and without the end of the object, so that `check` can
/// follow.
pub(crate) fn write(line: &mut Vec<u8>, event: &RecordedEvent) {
    let (content, mut object) = (&event.content, Object::begin(line));
    object.field("global_position", &event.position.get());
    object.optional("tenant_id", event.tenant_id());
    object.field("aggregate_type", event.aggregate_type());
    object.field("aggregate_id", event.aggregate_id());
    object.field("aggregate_version", &event.version);
    object.plain("event_id", content.event_id.hyphenated().encode_lower(&mut Uuid::encode_buffer()));
    object.field("event_type", &*content.event_type);
    object.field("event_version", &content.event_version);
    object.json(PAYLOAD, content.payload.as_str());
    if let Some(metadata) = &content.metadata {
        object.json(METADATA, metadata.as_str());
    }
    object.optional("trace_id", content.trace_id.as_deref());
    object.optional("correlation_id", content.correlation_id.as_deref());
    object.optional("causation_id", content.causation_id.as_deref());
    object.time("created_at", event.created_at);
}
