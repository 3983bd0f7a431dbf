//! A store with an imported log goes on as the old one would have.

use std::sync::OnceLock;

use diesel_event_store::operate::{FreezeError, SealError, freeze, seal, unfreeze};
use diesel_event_store::projection::{self, Projection, ProjectionId};
use diesel_event_store::{AppendError, EventStore, ExpectedVersion, LogState, Position, RecordedEvent};
use test_support::{LONG, Result, TestDatabase, counted, user};

use super::{breaks_off, content, empty, exported, fill, imported, request};

tests! {
    appends_go_on_above_everything,
    a_projection_goes_on_where_it_was,
    a_parked_event_is_retried,
    a_repeated_request_is_known,
    what_breaks_off_goes_on,
    a_log_that_is_filled_takes_no_appends,
    a_log_that_is_filled_can_be_read,
    a_log_that_is_filled_is_not_frozen_or_sealed,
    another_file_is_not_mixed_in,
    what_is_not_complete_is_not_exported,
}

const STORE: EventStore = EventStore::new();

fn appends_go_on_above_everything<D: TestDatabase>() -> Result {
    let ((_db, mut from), (other, mut to)) = (empty::<D>()?, empty::<D>()?);
    fill(&mut from)?;
    STORE.save_checkpoint(&mut from, "far ahead", Position::new(1_000)?)?;
    imported(&mut to, &exported(&mut from)?)?;
    let alice = user("alice")?;
    let refused = STORE.append(&mut to, &alice, ExpectedVersion::NoStream, &counted(1)?).unwrap_err();
    assert_eq!(refused.conflict().map(|conflict| conflict.actual), Some(9));
    let appended = STORE.append(&mut other.connect()?, &alice, ExpectedVersion::Exact(9), &counted(2)?)?;
    assert_eq!((appended.version(), appended.events()[0].position().get()), (11, 1_001));
    assert_eq!(STORE.last_position(&mut to)?.get(), 1_002);
    assert!(STORE.repair(&mut to)?.is_nothing());
    Ok(())
}

fn a_projection_goes_on_where_it_was<D: TestDatabase>() -> Result {
    let ((_db, mut from), (_other, mut to)) = (empty::<D>()?, empty::<D>()?);
    fill(&mut from)?;
    imported(&mut to, &exported(&mut from)?)?;
    let projection = Projection::new("fails on the third", 2, |_: &mut D::Conn, _: &RecordedEvent| Ok(()));
    STORE.append(&mut to, &user("bob")?, ExpectedVersion::NoStream, &counted(2)?)?;
    // The four of Alice wait behind a parked one.
    assert_eq!(projection.catch_up(&mut to)?.applied(), 2);
    assert_eq!(projection::parked(&mut to, ("fails on the third", 2))?.len(), 8);
    Ok(())
}

fn a_parked_event_is_retried<D: TestDatabase>() -> Result {
    let ((_db, mut from), (_other, mut to)) = (empty::<D>()?, empty::<D>()?);
    fill(&mut from)?;
    let id = ProjectionId::new("fails on the third", 2);
    let first = projection::parked(&mut from, &id)?[0].position();
    projection::retry_parked(&mut from, &id, first)?;
    imported(&mut to, &exported(&mut from)?)?;
    assert!(projection::parked(&mut to, &id)?[0].is_requested());
    let projection = Projection::new("fails on the third", 2, |_: &mut D::Conn, _: &RecordedEvent| Ok(()));
    projection.catch_up(&mut to)?;
    assert!(projection::parked(&mut to, &id)?.iter().all(|parked| parked.position() != first));
    Ok(())
}

fn a_repeated_request_is_known<D: TestDatabase>() -> Result {
    let ((_db, mut from), (_other, mut to)) = (empty::<D>()?, empty::<D>()?);
    fill(&mut from)?;
    imported(&mut to, &exported(&mut from)?)?;
    let last = STORE.last_position(&mut to)?;
    let again = STORE.append_batch(&mut to, &request()?)?;
    assert!(again.is_repeat());
    assert_eq!(again.streams()[0].version(), 3);
    assert_eq!(STORE.last_position(&mut to)?, last);
    Ok(())
}

/// 11,026 events, of which the first batch has 10,000. Made once, since every database makes the same file.
pub fn large<D: TestDatabase>() -> Result<&'static str> {
    static LARGE: OnceLock<String> = OnceLock::new();
    if let Some(large) = LARGE.get() {
        return Ok(large);
    }
    let (_db, mut conn) = empty::<D>()?;
    for stream in 0..11 {
        let stream = user(&stream.to_string())?;
        STORE.append(&mut conn, &stream, ExpectedVersion::NoStream, &counted(1_000)?)?;
    }
    fill(&mut conn)?;
    let large = exported(&mut conn)?;
    Ok(LARGE.get_or_init(|| large))
}

/// Broken off during the second batch.
fn half<D: TestDatabase>() -> Result<(D, D::Conn)> {
    let ((db, mut conn), file) = (empty::<D>()?, large::<D>()?);
    let failed = breaks_off(&mut conn, file, 2, file.len() * 19 / 20);
    assert!(failed.is_err_and(|error| error.to_string().contains("the disk is gone")));
    Ok((db, conn))
}

fn what_breaks_off_goes_on<D: TestDatabase>() -> Result {
    let file = large::<D>()?;
    let (_db, mut conn) = half::<D>()?;
    assert_eq!(imported(&mut conn, file)?.events(), 1_026, "the rest");
    assert_eq!(exported(&mut conn)?, file);
    let before = content(&mut conn)?;
    let again = imported(&mut conn, file)?;
    assert_eq!((again.events(), again.skipped()), (0, 11_026));
    assert_eq!(content(&mut conn)?, before);
    Ok(())
}

fn a_log_that_is_filled_takes_no_appends<D: TestDatabase>() -> Result {
    let (db, mut conn) = half::<D>()?;
    let note = STORE.log_closed(&mut conn)?.ok_or("it is closed")?;
    assert_eq!(note.state(), LogState::Receiving);
    assert!(note.note().contains(r#""position":10000"#), "{}", note.note());
    for conn in [&mut conn, &mut db.connect()?] {
        for (name, expected) in [("0", ExpectedVersion::Any), ("new", ExpectedVersion::NoStream)] {
            let refused = STORE.append(conn, &user(name)?, expected, &counted(1)?);
            match refused {
                Err(AppendError::LogClosed(closed)) => assert_eq!(closed.state(), LogState::Receiving),
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(STORE.last_position(&mut conn)?.get(), 10_000);
    Ok(())
}

fn a_log_that_is_filled_can_be_read<D: TestDatabase>() -> Result {
    let (_db, mut conn) = half::<D>()?;
    let last = Position::new(9_998)?;
    assert_eq!(STORE.read_forward(&mut conn, last, 100)?.len(), 2);
    let count = Projection::new("counts", 1, |_: &mut D::Conn, _: &RecordedEvent| Ok(()));
    assert_eq!(count.catch_up(&mut conn)?.applied(), 10_000);
    Ok(())
}

fn a_log_that_is_filled_is_not_frozen_or_sealed<D: TestDatabase>() -> Result {
    let (_db, mut conn) = half::<D>()?;
    for refused in [freeze(&mut conn, "a test", LONG), unfreeze(&mut conn, LONG)] {
        match refused {
            Err(FreezeError::LogClosed(closed)) => assert_eq!(closed.state(), LogState::Receiving),
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(seal(&mut conn), Err(SealError::LogClosed(_))));
    assert_eq!(imported(&mut conn, large::<D>()?)?.events(), 1_026);
    Ok(())
}

fn another_file_is_not_mixed_in<D: TestDatabase>() -> Result {
    let (_db, mut conn) = half::<D>()?;
    let (_other, mut from) = empty::<D>()?;
    fill(&mut from)?;
    let refused = imported(&mut conn, exported(&mut from)?).unwrap_err();
    assert!(refused.to_string().starts_with("another import fills this log"), "{refused}");
    Ok(())
}

fn what_is_not_complete_is_not_exported<D: TestDatabase>() -> Result {
    let (_db, mut conn) = half::<D>()?;
    let refused = exported(&mut conn).unwrap_err();
    assert!(refused.to_string().contains("not complete yet"), "{refused}");
    Ok(())
}
