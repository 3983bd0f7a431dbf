use super::{Aggregate, Evolve};
use crate::event::{Decoded, Event, EventError};
use crate::model::event::RecordedEvent;

/// The state of an aggregate, and the version of its stream up to which it is folded.
///
/// [`AggregateRef::load`](crate::AggregateRef::load) returns it.
///
/// ```
/// # use diesel_event_store::*;
/// /// What a client sends back as `If-Match`, for [`AggregateRef::expecting`].
/// fn etag<A>(loaded: &Loaded<A>) -> String {
///     format!("\"{}\"", loaded.version)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Loaded<A> {
    /// The state.
    pub state: A,
    /// The version of the last event that is folded into it, 0 without events.
    pub version: i64,
}

impl<A: Aggregate> Loaded<A> {
    pub(crate) fn initial(id: &str) -> Self {
        Self { state: A::initial(id), version: 0 }
    }

    /// After further events of the stream.
    pub(crate) fn after(self, events: &[RecordedEvent]) -> Result<Self, EventError> {
        events.iter().try_fold(self, Self::after_one)
    }

    /// Of a stream that ends at this version or later. Events that were erased leave nothing to fold, but
    /// their versions are not given again.
    pub(crate) fn at_least(self, version: i64) -> Self {
        Self { version: self.version.max(version), ..self }
    }

    fn after_one(self, recorded: &RecordedEvent) -> Result<Self, EventError> {
        let decoded = A::Event::decode(recorded)?;
        Ok(Self { state: apply(self.state, decoded), version: recorded.version() })
    }
}

pub(super) fn apply<A: Evolve>(state: A, decoded: Decoded<A::Event>) -> A {
    match decoded {
        Decoded::One(event) => state.evolve(event),
        Decoded::Many(events) => events.into_iter().fold(state, A::evolve),
        Decoded::Ignored => state,
    }
}
