//! One event after the other, in the order that a reader trips over.

use diesel::Connection;
use diesel::connection::TransactionManager;
use diesel_event_store::{
    EventConnection, ExpectedVersion, LogOrdering, LogQuery, NewEvent, Position, StreamId, set_log_ordering,
};

use super::hunt::STORE;
use super::session;
use crate::support::{self, TestDatabase};

type Manager<C> = <C as Connection>::TransactionManager;

/// A new reader goes on with so many reads before it is asked what it has seen.
const READS: usize = 5;

struct Reader<C> {
    conn: C,
    scanned_to: Position,
}

impl<C: EventConnection> Reader<C> {
    fn new<D: TestDatabase<Conn = C>>(database: &D) -> support::Result<Self> {
        Ok(Self { conn: database.connect()?, scanned_to: Position::START })
    }

    /// The types of the events it has not seen before.
    fn news(&mut self) -> support::Result<Vec<String>> {
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
    fn newest(&mut self) -> support::Result<Option<String>> {
        let backward = STORE.read_backward(&mut self.conn, Position::new(i64::MAX)?, 1)?;
        let newest = backward.events().first();
        let last = STORE.last_position(&mut self.conn)?;
        assert_eq!(newest.map_or(Position::START, |event| event.position()), last);
        Ok(newest.map(|event| event.event_type().to_owned()))
    }
}

/// Each event to an aggregate of its own, so that appends do not wait for each other.
fn append<C: EventConnection>(conn: &mut C, event_type: &str) -> support::Result {
    let stream = StreamId::new("Interleaved", event_type)?;
    STORE.append(conn, &stream, ExpectedVersion::NoStream, &[NewEvent::new(event_type, &())?])?;
    Ok(())
}

fn begin<C: Connection>(conn: &mut C) -> support::Result {
    Ok(<Manager<C>>::begin_transaction(conn)?)
}

fn commit<C: Connection>(conn: &mut C) -> support::Result {
    Ok(<Manager<C>>::commit_transaction(conn)?)
}

fn roll_back<C: Connection>(conn: &mut C) -> support::Result {
    Ok(<Manager<C>>::rollback_transaction(conn)?)
}

pub fn the_first_event_of_a_log_is_committed_second<D: TestDatabase>() -> support::Result {
    let database = D::migrated()?;
    let mut reader = Reader::new(&database)?;
    let mut conns = [database.connect()?, database.connect()?];
    committed_second(&mut conns, &mut reader)?;
    assert_eq!(Reader::new(&database)?.news()?, ["Early", "Late"]);
    Ok(())
}

pub fn an_event_is_committed_after_one_of_a_higher_position<D: TestDatabase>() -> support::Result {
    let database = D::migrated()?;
    let mut reader = Reader::new(&database)?;
    let mut conns = [database.connect()?, database.connect()?];
    append(&mut conns[1], "Before")?;
    assert_eq!(reader.news()?, ["Before"]);
    committed_second(&mut conns, &mut reader)
}

fn committed_second<C>(conns: &mut [C; 2], reader: &mut Reader<C>) -> support::Result
where
    C: Connection + EventConnection,
{
    let [late, early] = conns;
    let before = reader.newest()?;
    begin(late)?;
    append(late, "Early")?;
    append(early, "Late")?;
    assert!(reader.news()?.is_empty(), "the event before it is not committed");
    assert_eq!(reader.newest()?, before);
    commit(late)?;
    assert_eq!(reader.news()?, ["Early", "Late"]);
    assert_eq!(reader.newest()?.as_deref(), Some("Late"));
    Ok(())
}

pub fn a_transaction_begins_to_append_anew_after_a_savepoint<D: TestDatabase>() -> support::Result {
    let database = D::migrated()?;
    let mut reader = Reader::new(&database)?;
    let (mut slow, mut fast) = (database.connect()?, database.connect()?);
    begin(&mut slow)?;
    begin(&mut slow)?;
    append(&mut slow, "Withdrawn")?;
    roll_back(&mut slow)?;
    append(&mut fast, "Between")?;
    append(&mut slow, "Kept")?;
    append(&mut fast, "After")?;
    let mut seen = reader.news()?;
    assert!(!seen.contains(&"After".to_owned()), "{seen:?}");
    commit(&mut slow)?;
    seen.extend(reader.news()?);
    assert_eq!(seen, ["Between", "Kept", "After"]);
    Ok(())
}

pub fn a_savepoint_is_rolled_back_after_other_appends<D: TestDatabase>() -> support::Result {
    let database = D::migrated()?;
    let mut reader = Reader::new(&database)?;
    let (mut slow, mut fast) = (database.connect()?, database.connect()?);
    begin(&mut slow)?;
    append(&mut slow, "Kept")?;
    begin(&mut slow)?;
    append(&mut slow, "Withdrawn")?;
    roll_back(&mut slow)?;
    append(&mut fast, "Between")?;
    assert!(reader.news()?.is_empty());
    commit(&mut slow)?;
    assert_eq!(reader.news()?, ["Kept", "Between"]);
    Ok(())
}

pub fn a_transaction_that_is_rolled_back_is_not_waited_for<D: TestDatabase>() -> support::Result {
    let database = D::migrated()?;
    let mut reader = Reader::new(&database)?;
    let (mut slow, mut fast) = (database.connect()?, database.connect()?);
    begin(&mut slow)?;
    append(&mut slow, "Withdrawn")?;
    append(&mut fast, "After")?;
    assert!(reader.news()?.is_empty());
    roll_back(&mut slow)?;
    assert_eq!(reader.news()?, ["After"]);
    Ok(())
}

pub fn a_transaction_that_is_killed_is_not_waited_for<D: TestDatabase>() -> support::Result {
    let database = D::migrated()?;
    let mut reader = Reader::new(&database)?;
    let (mut slow, mut fast) = (database.connect()?, database.connect()?);
    begin(&mut slow)?;
    append(&mut slow, "Lost")?;
    append(&mut fast, "After")?;
    assert!(reader.news()?.is_empty());
    session::kill(&mut fast, session::id(&mut slow)?.ok_or("there is no server")?)?;
    assert_eq!(reader.news()?, ["After"]);
    commit(&mut slow).expect_err("the connection is gone");
    Ok(())
}

pub fn a_transaction_does_not_find_its_own_events_in_the_log<D: TestDatabase>() -> support::Result {
    let database = D::migrated()?;
    let mut conn = database.connect()?;
    append(&mut conn, "Before")?;
    let mut reader = Reader { conn, scanned_to: Position::START };
    assert_eq!(reader.news()?, ["Before"]);
    begin(&mut reader.conn)?;
    append(&mut reader.conn, "Own")?;
    assert!(reader.news()?.is_empty());
    assert_eq!(reader.newest()?.as_deref(), Some("Before"));
    commit(&mut reader.conn)?;
    assert_eq!(reader.news()?, ["Own"]);
    Ok(())
}

/// A position that was read must not be one that a transaction can still fill.
pub fn a_reading_transaction_goes_on_after_others_have_committed<D: TestDatabase>() -> support::Result {
    let database = D::migrated()?;
    let mut reader = Reader::new(&database)?;
    let (mut slow, mut fast) = (database.connect()?, database.connect()?);
    append(&mut fast, "Before")?;
    let mut seen = reader.news()?;
    begin(&mut slow)?;
    append(&mut slow, "Early")?;
    append(&mut fast, "Late")?;
    begin(&mut reader.conn)?;
    seen.extend(reader.news()?);
    commit(&mut slow)?;
    append(&mut fast, "Last")?;
    seen.extend(reader.news()?);
    commit(&mut reader.conn)?;
    seen.extend(reader.news()?);
    assert_eq!(seen, ["Before", "Early", "Late", "Last"]);
    Ok(())
}

pub fn one_transaction_appends_a_hundred_thousand_times<D: TestDatabase>() -> support::Result {
    const APPENDS: i64 = 100_000;
    const AGGREGATES: i64 = 1_000;
    let database = D::migrated()?;
    let mut conn = database.connect()?;
    let streams = (0..AGGREGATES).map(|id| StreamId::new("Bulk", id)).collect::<Result<Vec<_>, _>>()?;
    begin(&mut conn)?;
    for number in 0..APPENDS {
        let stream = &streams[(number % AGGREGATES) as usize];
        let expected = ExpectedVersion::Exact(number / AGGREGATES);
        STORE.append(&mut conn, stream, expected, &[NewEvent::new("Loaded", &number)?])?;
    }
    let mut reader = Reader::new(&database)?;
    assert!(reader.news()?.is_empty());
    commit(&mut conn)?;
    let loaded = STORE.iter_log(&mut reader.conn, LogQuery::after(Position::START));
    for (number, event) in loaded.enumerate() {
        assert_eq!(event?.payload::<usize>()?, number);
    }
    assert_eq!(support::count(&mut conn, "events")?, APPENDS);
    Ok(())
}

/// Positions that were counted are committed in their order, those of a sequence are not. A reader who began before the
/// change must not take the one for the other.
pub fn a_reading_transaction_goes_on_while_the_ordering_changes<D: TestDatabase>() -> support::Result {
    let database = D::migrated()?;
    let mut reader = Reader::new(&database)?;
    let (mut slow, mut fast) = (database.connect()?, database.connect()?);
    set_log_ordering(&mut fast, LogOrdering::Gapless)?;
    append(&mut fast, "Counted")?;
    begin(&mut reader.conn)?;
    let mut seen = reader.news()?;
    set_log_ordering(&mut fast, LogOrdering::Fenced)?;
    begin(&mut slow)?;
    append(&mut slow, "Early")?;
    append(&mut fast, "Late")?;
    seen.extend(reader.news()?);
    commit(&mut slow)?;
    seen.extend(reader.news()?);
    commit(&mut reader.conn)?;
    seen.extend(reader.news()?);
    assert_eq!(seen, ["Counted", "Early", "Late"]);
    Ok(())
}
