use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::error::{FileProblem, ImportError};
use crate::model::event::RecordedEvent;

/// The ids of all events of a file, each of which may be there once: 8 bytes for each.
#[derive(Default)]
pub(super) struct EventIds(Vec<u64>);

impl EventIds {
    pub(super) fn add(&mut self, event: &RecordedEvent) {
        self.0.push(digest(event.id()));
    }

    /// Those that seem to be there more than once. Almost always there are none.
    pub(super) fn suspects(mut self) -> Suspects {
        self.0.sort_unstable();
        let pairs = self.0.windows(2).filter(|pair| pair[0] == pair[1]);
        Suspects { digests: pairs.map(|pair| pair[0]).collect(), lines: HashMap::new() }
    }
}

/// Ids that are looked at once more.
pub(super) struct Suspects {
    digests: HashSet<u64>,
    lines: HashMap<Uuid, u64>,
}

impl Suspects {
    pub(super) fn is_empty(&self) -> bool {
        self.digests.is_empty()
    }

    pub(super) fn refuse_repeated(&mut self, line: u64, event: &RecordedEvent) -> Result<(), ImportError> {
        let id = event.id();
        if !self.digests.contains(&digest(id)) {
            return Ok(());
        }
        match self.lines.insert(id, line) {
            Some(earlier) => {
                Err(FileProblem::malformed(format!("event_id {id} is in line {earlier} already")).at(line))
            }
            None => Ok(()),
        }
    }
}

/// Of ids of every kind one half differs at least, whether it is the time or what is random.
fn digest(id: Uuid) -> u64 {
    let (first, second) = id.as_u64_pair();
    first ^ second
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::event::NewEvent;
    use crate::model::position::Position;
    use crate::model::stream_id::StreamId;

    #[test]
    fn an_id_is_there_once() {
        // The first two only look alike.
        let numbers = [1 << 64, 1, 7, 8, 7];
        let stream = StreamId::new("Order", 1).unwrap();
        let event = |&number: &u128| {
            let event = NewEvent::new("OrderPlaced", &1).unwrap().with_id(Uuid::from_u128(number));
            event.recorded(&stream, 1, Position::START).unwrap()
        };
        let (events, mut ids): (Vec<_>, _) = (numbers.iter().map(event).collect(), EventIds::default());
        events.iter().for_each(|event| ids.add(event));
        let mut suspects = ids.suspects();
        let mut refused = (2..).zip(&events).map(|(line, event)| suspects.refuse_repeated(line, event));
        assert!(refused.by_ref().take(4).all(|refused| refused.is_ok()));
        let error = refused.next().and_then(Result::err).map(|error| error.to_string());
        let id = Uuid::from_u128(7);
        assert_eq!(error, Some(format!("line 6: event_id {id} is in line 4 already")));
    }
}
