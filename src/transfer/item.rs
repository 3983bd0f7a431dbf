use crate::line::chain::Chain;
use crate::model::event::RecordedEvent;
use crate::model::leaf::Leaf;
use crate::model::parked::ParkedEvent;
use crate::model::partition::Partition;
use crate::model::projection_id::ProjectionId;
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Stream,
    Event,
    Projection,
    Parked,
    Key,
}

impl Item {
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Stream(_) => Kind::Stream,
            Self::Event(_) | Self::Gone(_) => Kind::Event,
            Self::Partition(_) => Kind::Projection,
            Self::Parked(..) => Kind::Parked,
            Self::Key(_) => Kind::Key,
        }
    }
}

impl Kind {
    /// For an error.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Stream => "a stream",
            Self::Event => "an event",
            Self::Projection => "a projection",
            Self::Parked => "a parked event",
            Self::Key => "an idempotency key",
        }
    }
}
