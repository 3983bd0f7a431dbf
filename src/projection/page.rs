use std::borrow::Cow;

use crate::model::event::RecordedEvent;
use crate::model::log::LogSlice;
use crate::model::partition::partition_of;
use crate::model::position::Position;

/// What follows a position in the log, those events together that belong to the same partition: whose they are
/// is found out once, and each partition is lent its own.
pub(super) struct Page {
    after: Position,
    scanned_to: Position,
    is_end: bool,
    bytes: usize,
    by_partition: Vec<Vec<RecordedEvent>>,
}

impl Page {
    /// For so many partitions, 1 or more.
    pub(super) fn new(after: Position, slice: LogSlice, partitions: i32) -> Self {
        let (scanned_to, is_end, bytes) = (slice.scanned_to(), slice.is_end(), slice.bytes());
        Self { after, scanned_to, is_end, bytes, by_partition: by_partition(slice.into_events(), partitions) }
    }

    /// There is nothing after this position.
    pub(super) fn empty(after: Position) -> Self {
        Self { after, scanned_to: after, is_end: true, bytes: 0, by_partition: Vec::new() }
    }

    pub(super) fn goes_on_after(&self, position: Position) -> bool {
        self.after <= position && position < self.scanned_to
    }

    /// How far the log was scanned.
    pub(super) fn scanned_to(&self) -> Position {
        self.scanned_to
    }

    pub(super) fn is_end(&self) -> bool {
        self.is_end
    }

    /// Of payloads and metadata.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// In their order. They are copied only for one of another number of partitions: the number has changed
    /// since the page was read.
    pub(super) fn of_partition(&self, number: i32, count: i32) -> Cow<'_, [RecordedEvent]> {
        if self.by_partition.len() == count as usize {
            return Cow::Borrowed(&self.by_partition[number as usize]);
        }
        let is_own = |event: &&RecordedEvent| partition_of(event.stream(), count) == number;
        let mut own: Vec<_> = self.by_partition.iter().flatten().filter(is_own).cloned().collect();
        own.sort_unstable_by_key(RecordedEvent::position);
        Cow::Owned(own)
    }
}

fn by_partition(events: Vec<RecordedEvent>, partitions: i32) -> Vec<Vec<RecordedEvent>> {
    if partitions == 1 {
        return vec![events];
    }
    let mut by_partition: Vec<Vec<_>> = (0..partitions).map(|_| Vec::new()).collect();
    for event in events {
        let number = partition_of(event.stream(), partitions);
        by_partition[number as usize].push(event);
    }
    by_partition
}

#[cfg(test)]
mod tests {
    use super::Page;
    use crate::model::event::{NewEvent, RecordedEvent};
    use crate::model::log::{LogQuery, LogSlice};
    use crate::model::partition::partition_of;
    use crate::model::position::Position;
    use crate::model::stream_id::StreamId;

    const EVENTS: i64 = 100;

    fn events() -> Vec<RecordedEvent> {
        let event = |n: i64| {
            let stream = StreamId::new("Account", n % 9).unwrap();
            NewEvent::new("Opened", &()).unwrap().recorded(&stream, 1, Position::new(n).unwrap()).unwrap()
        };
        (1..=EVENTS).map(event).collect()
    }

    fn page(partitions: i32) -> Page {
        let slice = LogSlice::new(&LogQuery::after(Position::START), events(), EVENTS, Position::END);
        Page::new(Position::START, slice, partitions)
    }

    fn positions<'e>(events: impl Iterator<Item = &'e RecordedEvent>) -> Vec<i64> {
        events.map(|event| event.position().get()).collect()
    }

    #[test]
    fn each_partition_has_its_own_events_in_order_whatever_number_the_page_was_read_for() {
        for (read_for, count) in [(1, 1), (4, 4), (1, 3), (4, 3), (3, 1)] {
            let page = page(read_for);
            for number in 0..count {
                let is_own = |event: &&RecordedEvent| partition_of(event.stream(), count) == number;
                let expected = positions(events().iter().filter(is_own));
                let found = positions(page.of_partition(number, count).iter());
                assert_eq!(found, expected, "partition {number} of {count}, of a page for {read_for}");
            }
        }
    }
}
