//! A refusal is the same whatever the size of the batch.

use diesel_event_store::{AppendError, ExpectedVersion};
use test_support::{Result, counted, user};

use super::database::{Database, STORE};

/// More than the 65,535 parameters that a statement can have.
const MANY: i64 = 66_000;

#[test]
fn a_conflict_of_more_events_than_a_statement_has_parameters_is_a_conflict() -> Result {
    let db = Database::migrated()?;
    let mut conn = db.connect()?;
    STORE.append(&mut conn, &user("alice")?, ExpectedVersion::NoStream, &counted(1)?)?;
    let many = counted(MANY)?;
    for expected in [ExpectedVersion::NoStream, ExpectedVersion::Exact(7)] {
        let refused = STORE.append(&mut conn, &user("alice")?, expected, &many).expect_err("it is at 1");
        assert_eq!(refused.conflict().map(|conflict| conflict.actual), Some(1), "{refused}");
    }
    Ok(())
}

#[test]
fn the_first_event_that_is_recorded_is_named_wherever_it_is_in_a_large_batch() -> Result {
    let db = Database::migrated()?;
    let mut conn = db.connect()?;
    let mut many = counted(MANY)?;
    let last = many.len() - 1;
    STORE.append(&mut conn, &user("alice")?, ExpectedVersion::NoStream, &many[last..])?;
    let refused = STORE.append(&mut conn, &user("alice")?, ExpectedVersion::NoStream, &many);
    assert!(
        matches!(refused, Err(AppendError::DuplicateEventId { event_index, .. }) if event_index == last),
        "{refused:?}"
    );
    many.truncate(last);
    let refused = STORE.append(&mut conn, &user("alice")?, ExpectedVersion::NoStream, &many);
    assert!(matches!(refused, Err(AppendError::Conflict(_))), "{refused:?}");
    Ok(())
}
