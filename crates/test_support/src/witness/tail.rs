use diesel_event_store::{EventConnection, EventStore, LogQuery, Position};

/// It goes on with so many reads before it says what it has seen.
const READS: usize = 5;

/// A reader of the log who is asked now and then.
pub struct Tail<C> {
    pub conn: C,
    scanned_to: Position,
}

impl<C: EventConnection> Tail<C> {
    pub fn new(conn: C) -> Self {
        Self { conn, scanned_to: Position::START }
    }

    /// The types of the events it has not seen before.
    pub fn news(&mut self) -> crate::Result<Vec<String>> {
        let mut news = Vec::new();
        for _ in 0..READS {
            let slice = STORE.read_log(&mut self.conn, &LogQuery::after(self.scanned_to), 10)?;
            assert!(slice.scanned_to() >= self.scanned_to);
            self.scanned_to = slice.scanned_to();
            news.extend(slice.events().iter().map(|event| event.event_type().to_owned()));
        }
        Ok(news)
    }

    /// The end of the log as it is seen by reading backward, and by asking for it.
    pub fn newest(&mut self) -> crate::Result<Option<String>> {
        let backward = STORE.read_backward(&mut self.conn, Position::new(i64::MAX)?, 1)?;
        let newest = backward.events().first();
        let last = STORE.last_position(&mut self.conn)?;
        assert_eq!(newest.map_or(Position::START, |event| event.position()), last);
        Ok(newest.map(|event| event.event_type().to_owned()))
    }
}

const STORE: EventStore = EventStore::new();
