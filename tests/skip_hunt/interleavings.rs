//! One event after the other, in the order that a reader trips over.

use diesel::Connection;
use diesel_event_store::{
    EventConnection, EventStore, ExpectedVersion, LogOrdering, LogQuery, NewEvent, Position, StreamId,
    write_transaction,
};
use test_support::witness::{Tail, append_one, begin, commit, roll_back};
use test_support::{self, TestDatabase};

use super::session;

test_support::tests! {
    the_first_event_of_a_log_is_committed_second,
    an_event_is_committed_after_one_of_a_higher_position,
    a_transaction_begins_to_append_anew_after_a_savepoint,
    a_savepoint_is_rolled_back_after_other_appends,
    a_transaction_that_is_rolled_back_is_not_waited_for,
    a_transaction_that_is_killed_is_not_waited_for,
    a_transaction_does_not_find_its_own_events_in_the_log,
    a_reading_transaction_goes_on_after_others_have_committed,
    one_transaction_appends_very_often,
    a_reading_transaction_goes_on_while_the_ordering_changes,
}

const STORE: EventStore = EventStore::new();

fn the_first_event_of_a_log_is_committed_second<D: TestDatabase>() -> test_support::Result {
    let database = D::migrated()?;
    let mut reader = Tail::new(database.connect()?);
    let mut conns = [database.connect()?, database.connect()?];
    committed_second(&mut conns, &mut reader)?;
    assert_eq!(Tail::new(database.connect()?).news()?, ["Early", "Late"]);
    Ok(())
}

fn an_event_is_committed_after_one_of_a_higher_position<D: TestDatabase>() -> test_support::Result {
    let database = D::migrated()?;
    let mut reader = Tail::new(database.connect()?);
    let mut conns = [database.connect()?, database.connect()?];
    append_one(&mut conns[1], "Before")?;
    assert_eq!(reader.news()?, ["Before"]);
    committed_second(&mut conns, &mut reader)
}

fn committed_second<C>(conns: &mut [C; 2], reader: &mut Tail<C>) -> test_support::Result
where
    C: Connection + EventConnection,
{
    let [late, early] = conns;
    let before = reader.newest()?;
    begin(late)?;
    append_one(late, "Early")?;
    append_one(early, "Late")?;
    assert!(reader.news()?.is_empty(), "the event before it is not committed");
    assert_eq!(reader.newest()?, before);
    commit(late)?;
    assert_eq!(reader.news()?, ["Early", "Late"]);
    assert_eq!(reader.newest()?.as_deref(), Some("Late"));
    Ok(())
}

fn a_transaction_begins_to_append_anew_after_a_savepoint<D: TestDatabase>() -> test_support::Result {
    let database = D::migrated()?;
    let mut reader = Tail::new(database.connect()?);
    let (mut slow, mut fast) = (database.connect()?, database.connect()?);
    begin(&mut slow)?;
    begin(&mut slow)?;
    append_one(&mut slow, "Withdrawn")?;
    roll_back(&mut slow)?;
    append_one(&mut fast, "Between")?;
    append_one(&mut slow, "Kept")?;
    append_one(&mut fast, "After")?;
    let mut seen = reader.news()?;
    assert!(!seen.contains(&"After".to_owned()), "{seen:?}");
    commit(&mut slow)?;
    seen.extend(reader.news()?);
    assert_eq!(seen, ["Between", "Kept", "After"]);
    Ok(())
}

/// In REPEATABLE READ, MySQL would let the other append wait.
fn a_savepoint_is_rolled_back_after_other_appends<D: TestDatabase>() -> test_support::Result {
    let database = D::migrated()?;
    let mut reader = Tail::new(database.connect()?);
    let (mut slow, mut fast) = (database.connect()?, database.connect()?);
    write_transaction(&mut slow, |slow| -> test_support::Result {
        append_one(slow, "Kept")?;
        begin(slow)?;
        append_one(slow, "Withdrawn")?;
        roll_back(slow)?;
        append_one(&mut fast, "Between")?;
        assert!(reader.news()?.is_empty());
        Ok(())
    })?;
    assert_eq!(reader.news()?, ["Kept", "Between"]);
    Ok(())
}

fn a_transaction_that_is_rolled_back_is_not_waited_for<D: TestDatabase>() -> test_support::Result {
    let database = D::migrated()?;
    let mut reader = Tail::new(database.connect()?);
    let (mut slow, mut fast) = (database.connect()?, database.connect()?);
    begin(&mut slow)?;
    append_one(&mut slow, "Withdrawn")?;
    append_one(&mut fast, "After")?;
    assert!(reader.news()?.is_empty());
    roll_back(&mut slow)?;
    assert_eq!(reader.news()?, ["After"]);
    Ok(())
}

fn a_transaction_that_is_killed_is_not_waited_for<D: TestDatabase>() -> test_support::Result {
    let database = D::migrated()?;
    let mut reader = Tail::new(database.connect()?);
    let (mut slow, mut fast) = (database.connect()?, database.connect()?);
    begin(&mut slow)?;
    append_one(&mut slow, "Lost")?;
    append_one(&mut fast, "After")?;
    assert!(reader.news()?.is_empty());
    session::kill(&mut fast, session::id(&mut slow)?.ok_or("there is no server")?)?;
    assert_eq!(reader.news()?, ["After"]);
    commit(&mut slow).expect_err("the connection is gone");
    Ok(())
}

fn a_transaction_does_not_find_its_own_events_in_the_log<D: TestDatabase>() -> test_support::Result {
    let database = D::migrated()?;
    let mut conn = database.connect()?;
    append_one(&mut conn, "Before")?;
    let mut reader = Tail::new(conn);
    assert_eq!(reader.news()?, ["Before"]);
    begin(&mut reader.conn)?;
    append_one(&mut reader.conn, "Own")?;
    assert!(reader.news()?.is_empty());
    assert_eq!(reader.newest()?.as_deref(), Some("Before"));
    commit(&mut reader.conn)?;
    assert_eq!(reader.news()?, ["Own"]);
    Ok(())
}

/// A position that was read must not be one that a transaction can still fill.
fn a_reading_transaction_goes_on_after_others_have_committed<D: TestDatabase>() -> test_support::Result {
    let database = D::migrated()?;
    let mut reader = Tail::new(database.connect()?);
    let (mut slow, mut fast) = (database.connect()?, database.connect()?);
    append_one(&mut fast, "Before")?;
    let mut seen = reader.news()?;
    begin(&mut slow)?;
    append_one(&mut slow, "Early")?;
    append_one(&mut fast, "Late")?;
    begin(&mut reader.conn)?;
    seen.extend(reader.news()?);
    commit(&mut slow)?;
    append_one(&mut fast, "Last")?;
    seen.extend(reader.news()?);
    commit(&mut reader.conn)?;
    seen.extend(reader.news()?);
    assert_eq!(seen, ["Before", "Early", "Late", "Last"]);
    Ok(())
}

/// PostgreSQL has room for some thousands of locks. MySQL has no such limit, and takes longer.
fn one_transaction_appends_very_often<D: TestDatabase>() -> test_support::Result {
    const AGGREGATES: i64 = 1_000;
    let database = D::migrated()?;
    let mut conn = database.connect()?;
    let appends = match conn.lend() {
        #[cfg(feature = "postgres")]
        diesel_event_store::ConnectionRef::Postgres(_) => 100_000,
        _ => 10_000,
    };
    let streams = (0..AGGREGATES).map(|id| StreamId::new("Bulk", id)).collect::<Result<Vec<_>, _>>()?;
    begin(&mut conn)?;
    for number in 0..appends {
        let stream = &streams[(number % AGGREGATES) as usize];
        let expected = ExpectedVersion::Exact(number / AGGREGATES);
        STORE.append(&mut conn, stream, expected, &[NewEvent::new("Loaded", &number)?])?;
    }
    let mut reader = Tail::new(database.connect()?);
    assert!(reader.news()?.is_empty());
    commit(&mut conn)?;
    let loaded = STORE.iter_log(&mut reader.conn, LogQuery::after(Position::START));
    for (number, event) in loaded.enumerate() {
        assert_eq!(event?.payload::<usize>()?, number);
    }
    assert_eq!(test_support::count(&mut conn, "events")?, appends);
    Ok(())
}

/// Positions that were counted are committed in their order, those of a sequence are not. A reader who began
/// before the change must not take the one for the other.
fn a_reading_transaction_goes_on_while_the_ordering_changes<D: TestDatabase>() -> test_support::Result {
    let database = D::migrated()?;
    let mut reader = Tail::new(database.connect()?);
    let (mut slow, mut fast) = (database.connect()?, database.connect()?);
    STORE.set_log_ordering(&mut fast, LogOrdering::Gapless)?;
    append_one(&mut fast, "Counted")?;
    begin(&mut reader.conn)?;
    let mut seen = reader.news()?;
    STORE.set_log_ordering(&mut fast, LogOrdering::Fenced)?;
    begin(&mut slow)?;
    append_one(&mut slow, "Early")?;
    append_one(&mut fast, "Late")?;
    seen.extend(reader.news()?);
    commit(&mut slow)?;
    seen.extend(reader.news()?);
    commit(&mut reader.conn)?;
    seen.extend(reader.news()?);
    assert_eq!(seen, ["Counted", "Early", "Late"]);
    Ok(())
}
