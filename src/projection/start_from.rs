use chrono::{DateTime, Utc};

use super::error::ProjectionError;
use crate::model::invalid::{InvalidInput, Problem};
use crate::model::position::Position;
use crate::model::timestamp;
use crate::storage::places::Places;
use crate::storage::read::Read;
use crate::storage::rewrites::Rewrites;

/// Where a projection starts that was never run before, as
/// [`Projection::start_from`](super::Projection::start_from) says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum StartFrom {
    /// With the first event of the log. If events were [archived](crate::guide::archiving), the projection is
    /// refused, as one is that starts anywhere before the last of them.
    #[default]
    Beginning,
    /// After the end of the log, as [`last_position`](crate::EventStore::last_position) finds it when the
    /// projection is created: by [`Runner::start`](super::Runner::start), or the first
    /// [`catch_up`](super::Projection::catch_up).
    ///
    /// Everything that is committed later is applied. So are events that are committed already, but lie
    /// behind a transaction that has appended and is still open: no reader of the log has seen those yet.
    /// While there is such a transaction, the log ends on MySQL where its last reader has
    /// [published](crate::EventStore::publish_position) it.
    Now,
    /// After this position. It must not lie beyond the last one that the log has assigned.
    Position(Position),
    /// With the first event, by position, whose [`created_at`](crate::RecordedEvent::created_at) is this time
    /// or later; with what is appended from now on if there is none. From the year 1000 to 9999.
    ///
    /// From there on everything is applied, also events that an application has given an earlier time. No
    /// index has the times, so finding the first walks over all events before it, once.
    Time(DateTime<Utc>),
}

impl StartFrom {
    pub(super) fn validate(self) -> Result<(), InvalidInput> {
        match self {
            Self::Time(time) => timestamp::check_range("start_from", time),
            Self::Beginning | Self::Now | Self::Position(_) => Ok(()),
        }
    }

    /// The position after which the projection starts.
    pub(super) async fn resolve<D: Read + Places + Rewrites>(
        self,
        database: &mut D,
    ) -> Result<Position, ProjectionError> {
        let position = match self {
            Self::Beginning => Position::START,
            Self::Now => database.last_position().await?,
            Self::Position(position) => within_log(database, position).await?,
            Self::Time(time) => before_first_since(database, timestamp::cut_to_micros(time)).await?,
        };
        refuse_archived(database, position).await?;
        Ok(position)
    }
}

/// A projection that goes on after this position would lack what was archived, and would not notice.
pub(super) async fn refuse_archived<D: Rewrites>(
    database: &mut D,
    after: Position,
) -> Result<(), ProjectionError> {
    let archived_to = database.archived_to().await?;
    if after < archived_to { Err(ProjectionError::Archived { after, archived_to }) } else { Ok(()) }
}

async fn within_log<D: Read>(database: &mut D, position: Position) -> Result<Position, ProjectionError> {
    let highest = database.last_assigned_position().await?.get();
    if position.get() <= highest {
        return Ok(position);
    }
    let problem = Problem::OutOfRange { value: position.get(), lowest: 0, highest };
    Err(InvalidInput::new("start_from", problem).into())
}

/// The end of the log is asked for first. An append that is not committed yet lies above it, so the event
/// that is found is the first unless it lies above, too.
async fn before_first_since<D: Read + Places>(
    database: &mut D,
    time: DateTime<Utc>,
) -> Result<Position, ProjectionError> {
    let end = database.last_position().await?;
    let first = database.first_since(time).await?;
    Ok(first.map_or(end, |first| end.min(Position::stored(first.get() - 1))))
}
