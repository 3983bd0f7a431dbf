use diesel::Connection;
use diesel_event_store::{Error, LogQuery, Position, ReadError};
use test_support::witness::{Entry, is_lost_connection, is_not_published};
use test_support::{self, TestDatabase};

use super::follower::Follower;
use super::hunt::{EVENT_TYPES, OWN, SHARED, STORE};
use super::session::Sessions;

/// How a reader follows the log.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    pub name: &'static str,
    pub page: usize,
    pub filter: Filter,
    /// It goes on with a new connection after so many pages.
    pub restart_after: Option<usize>,
    /// It reads so many pages in one transaction, and saves its checkpoint in it.
    pub pages_a_transaction: Option<usize>,
}

#[derive(Debug, Clone, Copy)]
pub enum Filter {
    None,
    EventType(&'static str),
    AggregateType(&'static str),
}

pub const STYLES: [Style; 6] = [
    Style {
        name: "large pages",
        page: 200,
        filter: Filter::None,
        restart_after: None,
        pages_a_transaction: None,
    },
    Style {
        name: "small pages",
        page: 7,
        filter: Filter::None,
        restart_after: None,
        pages_a_transaction: None,
    },
    Style {
        name: "new connections",
        page: 31,
        filter: Filter::None,
        restart_after: Some(40),
        pages_a_transaction: None,
    },
    Style {
        name: "one event type",
        page: 20,
        filter: Filter::EventType(EVENT_TYPES[1]),
        restart_after: Some(100),
        pages_a_transaction: None,
    },
    Style {
        name: "one aggregate type",
        page: 3,
        filter: Filter::AggregateType(SHARED),
        restart_after: None,
        pages_a_transaction: None,
    },
    Style {
        name: "projection",
        page: 20,
        filter: Filter::AggregateType(OWN),
        restart_after: Some(50),
        pages_a_transaction: Some(3),
    },
];

impl Filter {
    fn query(self, after: Position) -> LogQuery {
        match self {
            Self::None => LogQuery::after(after),
            Self::EventType(name) => LogQuery::after(after).event_types([name]),
            Self::AggregateType(name) => LogQuery::after(after).aggregate_types([name]),
        }
    }

    pub fn matches(self, entry: &Entry) -> bool {
        match self {
            Self::None => true,
            Self::EventType(name) => entry.event_type == name,
            Self::AggregateType(name) => entry.aggregate_type == name,
        }
    }
}

pub struct Reader<'h, D: TestDatabase> {
    database: &'h D,
    sessions: &'h Sessions<'h, D>,
    place: usize,
    style: Style,
    conn: D::Conn,
    scanned_to: Position,
    pages: usize,
    /// What a transaction has read whose commit was not answered.
    unanswered: Option<(Vec<Entry>, Position)>,
    seen: Vec<Entry>,
    pub reads: usize,
    pub lost_connections: usize,
}

impl<'h, D: TestDatabase> Reader<'h, D> {
    pub fn new(
        database: &'h D,
        sessions: &'h Sessions<'h, D>,
        place: usize,
        style: Style,
    ) -> test_support::Result<Self> {
        let mut conn = database.connect()?;
        sessions.register(place, &mut conn)?;
        Ok(Self {
            database,
            sessions,
            place,
            style,
            conn,
            scanned_to: Position::START,
            pages: 0,
            unanswered: None,
            seen: Vec::new(),
            reads: 0,
            lost_connections: 0,
        })
    }

    fn reconnect(&mut self) -> test_support::Result {
        self.conn = self.database.connect()?;
        self.sessions.register(self.place, &mut self.conn)
    }

    fn page(&mut self) -> Result<usize, ReadError> {
        let query = self.style.filter.query(self.scanned_to);
        let slice = STORE.read_log(&mut self.conn, &query, self.style.page)?;
        self.reads += 1;
        let entries = slice.events().iter().map(Entry::from).collect();
        self.take(entries, slice.scanned_to());
        Ok(slice.len())
    }

    /// What it has seen counts once its checkpoint is committed. If it does not hear of that, it finds it out
    /// from the checkpoint.
    fn projection(&mut self, pages: usize) -> Result<usize, Error> {
        let style = self.style;
        let (mut began, mut entries, mut scanned_to) = (None, Vec::new(), self.scanned_to);
        let committed = self.conn.transaction::<_, Error, _>(|conn| {
            let checkpoint = STORE.checkpoint(conn, style.name)?;
            scanned_to = checkpoint.map_or(Position::START, |checkpoint| checkpoint.position());
            began = Some(scanned_to);
            for _ in 0..pages {
                let slice = STORE.read_log(conn, &style.filter.query(scanned_to), style.page)?;
                entries.extend(slice.events().iter().map(Entry::from));
                scanned_to = slice.scanned_to();
            }
            Ok(STORE.save_checkpoint(conn, style.name, scanned_to)?)
        });
        self.reads += pages;
        if began.is_some_and(|position| position != self.scanned_to) {
            let (entries, scanned_to) = self.unanswered.take().expect("nobody else moves the checkpoint");
            assert_eq!(began, Some(scanned_to));
            self.take(entries, scanned_to);
        }
        match committed {
            Ok(()) => {
                let events = entries.len();
                self.take(entries, scanned_to);
                Ok(events)
            }
            Err(error) => {
                if began.is_some() {
                    self.unanswered = Some((entries, scanned_to));
                }
                Err(error)
            }
        }
    }

    fn take(&mut self, entries: Vec<Entry>, scanned_to: Position) {
        assert!(scanned_to >= self.scanned_to, "{} was sent back to {scanned_to}", self.style.name);
        let mut position = self.scanned_to.get();
        for entry in &entries {
            assert!(entry.position > position, "{} saw {entry:?} after {position}", self.style.name);
            position = entry.position;
        }
        assert!(position <= scanned_to.get());
        self.seen.extend(entries);
        self.scanned_to = scanned_to;
    }
}

impl<D: TestDatabase<Conn: Send> + Sync> Follower for Reader<'_, D> {
    /// If it loses its connection, it goes on with another where it was.
    fn read(&mut self) -> test_support::Result<usize> {
        let read = match self.style.pages_a_transaction {
            None => self.page().map_err(Error::from),
            Some(pages) => self.projection(pages),
        };
        self.pages += 1;
        let restart = self.style.restart_after.is_some_and(|pages| self.pages % pages == 0);
        match read {
            Ok(events) => {
                if restart {
                    self.reconnect()?;
                }
                Ok(events)
            }
            Err(error) if is_lost_connection(&error) => {
                self.lost_connections += 1;
                self.reconnect()?;
                Ok(0)
            }
            // SQLite: somebody has written in between. MariaDB: nobody else has read yet.
            Err(error) if error.is_retryable() || is_not_published(&error) => Ok(0),
            Err(error) => Err(error.into()),
        }
    }

    fn scanned_to(&self) -> i64 {
        self.scanned_to.get()
    }

    /// It must not miss any, nor see one twice.
    fn missed(&mut self, committed: &[Entry]) -> usize {
        let name = self.style.name;
        let end = committed.last().map_or(0, |entry| entry.position);
        assert_eq!(self.scanned_to.get(), end, "{name} was told of positions that nobody has");
        let expected: Vec<&Entry> =
            committed.iter().filter(|entry| self.style.filter.matches(entry)).collect();
        let difference = self.seen.iter().zip(&expected).find(|(seen, expected)| seen != *expected);
        assert_eq!(difference, None, "{name} has seen the first of these instead of the second");
        assert_eq!(self.seen.len(), expected.len(), "{name} has seen fewer or more events than there are");
        self.seen.clear();
        0
    }
}
