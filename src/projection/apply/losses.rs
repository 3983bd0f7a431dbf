//! Events at which the connection was lost that the handler had. Each attempt needs a new connection, and
//! what is known of the event must outlast the old one.

use super::transient::Transient;
use crate::model::position::Position;
use crate::projection::handler::HandlerError;

/// The event at which it was lost last, until that is dealt with.
#[derive(Default)]
pub(super) struct Losses(Option<Loss>);

struct Loss {
    position: Position,
    times: Transient,
    /// How often the handler has failed at the event in a way that counts.
    attempts: i32,
    /// What is to be dealt with on the next connection.
    failure: Option<HandlerError>,
}

impl Losses {
    /// An outage may lose a connection: so what does not count otherwise counts only if it comes again and
    /// again.
    pub(super) fn note(&mut self, position: Position, failure: HandlerError) {
        let mut loss = self.0.take().filter(|loss| loss.position == position).unwrap_or(Loss {
            position,
            times: Transient::default(),
            attempts: 0,
            failure: None,
        });
        let counts = !failure.is_retryable() || loss.times.pause().is_none();
        loss.failure = counts.then(|| failure.counted());
        self.0 = Some(loss);
    }

    pub(super) fn note_attempts(&mut self, position: Position, attempts: i32) {
        if let Some(loss) = self.at(position) {
            loss.attempts = attempts;
        }
    }

    /// How often the handler has failed there, and how it has failed since.
    pub(super) fn take(&mut self, position: Position) -> (i32, Option<HandlerError>) {
        self.at(position).map_or((0, None), |loss| (loss.attempts, loss.failure.take()))
    }

    pub(super) fn position(&self) -> Option<Position> {
        self.0.as_ref().map(|loss| loss.position)
    }

    /// The events up to there are dealt with.
    pub(super) fn forget_up_to(&mut self, position: Position) {
        self.0.take_if(|loss| loss.position <= position);
    }

    fn at(&mut self, position: Position) -> Option<&mut Loss> {
        self.0.as_mut().filter(|loss| loss.position == position)
    }
}
