use std::fmt;

use crate::model::event::RecordedEvent;
use crate::model::log::LogQuery;
use crate::model::position::Position;
use crate::storage::connection::EventConnection;
use crate::storage::read::ReadError;
use crate::store::EventStore;

/// Where two logs differ that should be the same, for the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    position: Position,
    what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    OnlyInSource,
    OnlyInTarget,
    Field(&'static str),
}

impl Difference {
    /// The position of the event.
    pub fn position(&self) -> Position {
        self.position
    }

    /// The column that differs; `None` if one log has no event there.
    pub fn field(&self) -> Option<&'static str> {
        match self.what {
            What::Field(field) => Some(field),
            What::OnlyInSource | What::OnlyInTarget => None,
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.what {
            What::OnlyInSource => write!(f, "only the source has an event at position {}", self.position),
            What::OnlyInTarget => write!(f, "only the target has an event at position {}", self.position),
            What::Field(field) => write!(f, "the {field} of the event at position {}", self.position),
        }
    }
}

/// The first one above a position.
pub(super) fn first_difference<S, T>(
    source: &mut S,
    target: &mut T,
    after: Position,
    up_to: Position,
) -> Result<Option<Difference>, ReadError>
where
    S: EventConnection + ?Sized,
    T: EventConnection + ?Sized,
{
    let store = EventStore::new();
    let query = LogQuery::after(after).without_archived();
    let mut source = store.iter_log(source, query.clone());
    let mut target = store.iter_log(target, query);
    loop {
        let here = source.next().transpose()?.filter(|event| event.position <= up_to);
        let difference = match (here, target.next().transpose()?) {
            (None, None) => return Ok(None),
            (Some(here), None) => Some(Difference { position: here.position, what: What::OnlyInSource }),
            (None, Some(there)) => Some(Difference { position: there.position, what: What::OnlyInTarget }),
            (Some(here), Some(there)) => between(&here, &there),
        };
        if difference.is_some() {
            return Ok(difference);
        }
    }
}

fn between(here: &RecordedEvent, there: &RecordedEvent) -> Option<Difference> {
    let what = match here.position.cmp(&there.position) {
        std::cmp::Ordering::Less => What::OnlyInSource,
        std::cmp::Ordering::Greater => What::OnlyInTarget,
        std::cmp::Ordering::Equal => What::Field(field(here, there)?),
    };
    Some(Difference { position: here.position.min(there.position), what })
}

fn field(here: &RecordedEvent, there: &RecordedEvent) -> Option<&'static str> {
    let (content, other) = (&here.content, &there.content);
    let fields = [
        ("tenant_id", here.tenant_id() == there.tenant_id()),
        ("aggregate_type", here.aggregate_type() == there.aggregate_type()),
        ("aggregate_id", here.aggregate_id() == there.aggregate_id()),
        ("aggregate_version", here.version == there.version),
        ("event_id", content.event_id == other.event_id),
        ("event_type", content.event_type == other.event_type),
        ("event_version", content.event_version == other.event_version),
        ("payload", content.payload == other.payload),
        ("metadata", content.metadata == other.metadata),
        ("trace_id", content.trace_id == other.trace_id),
        ("correlation_id", content.correlation_id == other.correlation_id),
        ("causation_id", content.causation_id == other.causation_id),
        ("created_at", here.created_at == there.created_at),
    ];
    fields.into_iter().find_map(|(field, is_equal)| (!is_equal).then_some(field))
}
