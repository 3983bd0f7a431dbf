use crate::line::chain::Chain;
use crate::model::event::RecordedEvent;
use crate::model::leaf::Leaf;
use crate::model::parked::ParkedEvent;
use crate::model::partition::Partition;
use crate::model::position::Position;
use crate::model::projection_id::ProjectionId;
use crate::model::stream_id::StreamId;
use crate::storage::carry::{StreamStart, UsedKey};

/// What a line of a file stands for. In a file they come in this order.
pub(super) enum Item {
    Stream(StreamStart),
    Event(Box<RecordedEvent>),
    Gone(Leaf),
    Partition(Box<Partition>),
    Parked(ProjectionId, Box<ParkedEvent>),
    Key(UsedKey),
}

/// A line that has been read.
pub(super) struct Line {
    /// Counted from 1.
    pub(super) number: u64,
    pub(super) item: Item,
    /// Behind it.
    pub(super) chain: Chain,
}

/// Where an item stands in a file: each has its own, and they go up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Stream(StreamId),
    Event(Position),
    Partition(ProjectionId, i32),
    Parked(ProjectionId, Position),
    /// Of a tenant.
    Key(String, String),
}

impl Item {
    pub(super) fn place(&self) -> Place {
        match self {
            Self::Stream(start) => Place::Stream(start.stream.clone()),
            Self::Event(event) => Place::Event(event.position),
            Self::Gone(leaf) => Place::Event(leaf.position),
            Self::Partition(partition) => {
                Place::Partition(partition.key.projection.clone(), partition.key.number)
            }
            Self::Parked(projection, parked) => Place::Parked(projection.clone(), parked.position),
            Self::Key(key) => Place::Key(key.tenant_id.clone(), key.key.clone()),
        }
    }
}

impl Place {
    /// For an error.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Stream(_) => "a stream",
            Self::Event(_) => "an event",
            Self::Partition(..) => "a projection",
            Self::Parked(..) => "a parked event",
            Self::Key(..) => "an idempotency key",
        }
    }
}
