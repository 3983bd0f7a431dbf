use std::collections::HashMap;

use diesel_event_store::RecordedEvent;
use diesel_event_store::uuid::Uuid;

/// How deep what is shown is set in. A chain of causes can be as long as it likes.
const DEEPEST: usize = 12;

/// An event within the tree of what has caused what.
pub struct Member {
    pub event: RecordedEvent,
    /// 1 for what no other event has caused.
    pub level: usize,
}

impl Member {
    pub fn indent(&self) -> usize {
        self.level.min(DEEPEST)
    }
}

/// Each event below its cause, in the order of the log. A cause is older than its effects: what says
/// otherwise stands by itself, so that no event is left out.
pub fn tree(events: Vec<RecordedEvent>) -> Vec<Member> {
    let places: HashMap<Uuid, usize> =
        events.iter().enumerate().map(|(at, event)| (event.id(), at)).collect();
    let mut effects: Vec<Vec<usize>> = vec![Vec::new(); events.len()];
    let mut open = Vec::new();
    for (at, event) in events.iter().enumerate().rev() {
        let id = event.causation_id().and_then(|id| Uuid::try_parse(id).ok());
        match id.and_then(|id| places.get(&id)).filter(|&&cause| cause < at) {
            Some(&cause) => effects[cause].push(at),
            None => open.push((at, 1)),
        }
    }
    in_order(events, &effects, open)
}

/// Depth first, without recursion. What is open, and effects, begin with the youngest.
fn in_order(
    events: Vec<RecordedEvent>,
    effects: &[Vec<usize>],
    mut open: Vec<(usize, usize)>,
) -> Vec<Member> {
    let mut events: Vec<Option<RecordedEvent>> = events.into_iter().map(Some).collect();
    let mut members = Vec::with_capacity(events.len());
    while let Some((at, level)) = open.pop() {
        open.extend(effects[at].iter().map(|&effect| (effect, level + 1)));
        let Some(event) = events[at].take() else { continue };
        members.push(Member { event, level });
    }
    members
}

#[cfg(test)]
mod tests {
    use diesel_event_store::{NewEvent, Position, StreamId};

    use super::*;

    /// An event with a number as its id, and the number of its cause.
    fn event(number: u128, cause: Option<u128>) -> RecordedEvent {
        let event = NewEvent::new("Happened", &()).unwrap().with_id(Uuid::from_u128(number));
        let event = match cause {
            Some(cause) => event.causation_id(Uuid::from_u128(cause)),
            None => event,
        };
        let stream = StreamId::new("Thing", number % 2).unwrap();
        event.recorded(&stream, 1, Position::new(number as i64).unwrap()).unwrap()
    }

    fn shape(events: Vec<RecordedEvent>) -> Vec<(u128, usize)> {
        tree(events).iter().map(|member| (member.event.id().as_u128(), member.level)).collect()
    }

    #[test]
    fn effects_stand_below_their_cause_in_the_order_of_the_log() {
        let events =
            vec![event(1, None), event(2, Some(1)), event(3, None), event(4, Some(1)), event(5, Some(2))];
        assert_eq!(shape(events), [(1, 1), (2, 2), (5, 3), (4, 2), (3, 1)]);
    }

    #[test]
    fn no_event_is_left_out() {
        // In a circle, by itself, after its effect, and caused by what is not there.
        let events = vec![event(1, Some(2)), event(2, Some(1)), event(3, Some(3)), event(4, Some(9))];
        assert_eq!(shape(events), [(1, 1), (2, 2), (3, 1), (4, 1)]);
        let chain = (1..=5_000).map(|number| event(number, Some(number - 1))).collect();
        assert_eq!(shape(chain).last(), Some(&(5_000, 5_000)));
    }
}
