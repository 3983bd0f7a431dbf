//! A reader never goes beyond an event that may still be committed, and never stops at one that cannot.

use diesel_event_store::Position;
use test_support::{Result, create_app_rows, execute, insert_app_row};

use super::database::{Database, STORE, append, begin, commit, kill, log, number, rollback};

const ISOLATION_LEVELS: [&str; 4] = ["READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"];

#[test]
fn an_append_that_is_open_holds_back_what_comes_after_it_and_nothing_else() -> Result {
    for isolation_level in ISOLATION_LEVELS {
        let db = Database::migrated()?;
        let (mut slow, mut fast) = (db.connect_in(isolation_level)?, db.connect()?);
        let mut reader = db.connect()?;
        append(&mut fast, "before")?;
        assert_eq!(log(&mut reader)?, ["before"]);

        begin(&mut slow)?;
        append(&mut slow, "slow")?;
        append(&mut fast, "fast")?;
        assert_eq!(log(&mut reader)?, ["before"], "{isolation_level}");
        // Readers have changed the slot by now.
        append(&mut fast, "faster")?;
        assert_eq!(log(&mut reader)?, ["before"], "{isolation_level}");

        commit(&mut slow)?;
        assert_eq!(log(&mut reader)?, ["before", "slow", "fast", "faster"], "{isolation_level}");
    }
    Ok(())
}

#[test]
fn an_append_that_is_rolled_back_lets_go_of_the_log() -> Result {
    let db = Database::migrated()?;
    let (mut slow, mut fast, mut reader) = (db.connect()?, db.connect()?, db.connect()?);
    begin(&mut slow)?;
    append(&mut slow, "slow")?;
    append(&mut fast, "fast")?;
    assert!(log(&mut reader)?.is_empty());
    rollback(&mut slow)?;
    assert_eq!(log(&mut reader)?, ["fast"]);
    Ok(())
}

#[test]
fn an_append_whose_connection_is_killed_lets_go_of_the_log() -> Result {
    let db = Database::migrated()?;
    let (mut slow, mut fast, mut reader) = (db.connect()?, db.connect()?, db.connect()?);
    let id = number(&mut slow, "CONNECTION_ID()")?;
    begin(&mut slow)?;
    append(&mut slow, "slow")?;
    append(&mut fast, "fast")?;
    assert!(log(&mut reader)?.is_empty());
    kill(&mut fast, id)?;
    assert_eq!(log(&mut reader)?, ["fast"]);
    Ok(())
}

#[test]
fn a_transaction_that_does_not_append_holds_nothing_back() -> Result {
    let db = Database::migrated()?;
    let (mut unrelated, mut conn) = (db.connect()?, db.connect()?);
    create_app_rows(&mut conn)?;
    append(&mut conn, "before")?;
    begin(&mut unrelated)?;
    assert_eq!(STORE.read_forward(&mut conn, Position::START, 10)?.len(), 1);
    insert_app_row(&mut unrelated, "row")?;
    for name in ["1", "2", "3"] {
        append(&mut conn, name)?;
        assert_eq!(log(&mut conn)?.last().map(String::as_str), Some(name));
    }
    commit(&mut unrelated)
}

/// So that somebody is appending at every moment: the next begins before the last has ended.
#[test]
fn readers_go_on_while_appends_come_without_a_pause() -> Result {
    const OVERLAPPING: usize = 3;
    let db = Database::migrated()?;
    let mut reader = db.connect()?;
    let mut writers = (0..OVERLAPPING).map(|_| db.connect()).collect::<Result<Vec<_>>>()?;
    let mut positions = Vec::new();
    for step in 0..60 {
        let writer = &mut writers[step % OVERLAPPING];
        if step >= OVERLAPPING {
            commit(writer)?;
        }
        begin(writer)?;
        positions.push(append(writer, &(step % OVERLAPPING).to_string())?.last_position());
        // The turn of a slot takes until all have ended that were there when it began; and there are two of
        // them.
        let last = STORE.last_position(&mut reader)?;
        if let Some(old) = step.checked_sub(3 * OVERLAPPING) {
            assert!(last >= positions[old], "at step {step} the reader has come to {last}");
        }
        assert!(last < positions[step.saturating_sub(OVERLAPPING - 1)]);
    }
    Ok(())
}

/// The slot is read from the snapshot of the transaction, which knows nothing of what readers have changed
/// since.
#[test]
fn an_append_that_knows_the_slot_from_an_old_snapshot_is_waited_for() -> Result {
    let db = Database::migrated()?;
    let (mut slow, mut other, mut reader) = (db.connect_in("REPEATABLE READ")?, db.connect()?, db.connect()?);
    begin(&mut slow)?;
    let old_phase = number(&mut slow, "(SELECT phase FROM event_log)")?;

    begin(&mut other)?;
    append(&mut other, "other")?;
    append(&mut reader, "another")?;
    assert!(log(&mut reader)?.is_empty());
    commit(&mut other)?;
    assert_eq!(log(&mut reader)?, ["other", "another"]);
    assert_ne!(number(&mut reader, "(SELECT phase FROM event_log)")?, old_phase, "readers have changed it");

    append(&mut slow, "slow")?;
    append(&mut other, "fast")?;
    assert_eq!(number(&mut slow, "(SELECT phase FROM event_log)")?, old_phase);
    assert_eq!(log(&mut reader)?, ["other", "another"]);
    commit(&mut slow)?;
    assert_eq!(log(&mut reader)?, ["other", "another", "slow", "fast"]);
    Ok(())
}

/// In READ COMMITTED, because in REPEATABLE READ MySQL keeps a gap as well: see `savepoints`.
#[test]
fn a_rollback_to_a_savepoint_keeps_the_fence() -> Result {
    let db = Database::migrated()?;
    let (mut slow, mut fast, mut reader) = (db.connect_in("READ COMMITTED")?, db.connect()?, db.connect()?);
    begin(&mut slow)?;
    append(&mut slow, "slow")?;
    begin(&mut slow)?;
    append(&mut slow, "undone")?;
    rollback(&mut slow)?;
    append(&mut fast, "fast")?;
    assert!(log(&mut reader)?.is_empty());
    commit(&mut slow)?;
    assert_eq!(log(&mut reader)?, ["slow", "fast"]);
    Ok(())
}

#[test]
fn an_append_after_a_rollback_to_a_savepoint_is_waited_for() -> Result {
    let db = Database::migrated()?;
    let (mut slow, mut fast, mut reader) = (db.connect()?, db.connect()?, db.connect()?);
    begin(&mut slow)?;
    begin(&mut slow)?;
    append(&mut slow, "undone")?;
    rollback(&mut slow)?;
    append(&mut slow, "slow")?;
    append(&mut fast, "fast")?;
    assert!(log(&mut reader)?.is_empty());
    commit(&mut slow)?;
    assert_eq!(log(&mut reader)?, ["slow", "fast"]);
    Ok(())
}

/// Two that hold a slot each, as readers find them.
#[test]
fn whoever_holds_the_other_slot_is_waited_for_too() -> Result {
    let db = Database::migrated()?;
    let (mut first, mut second) = (db.connect()?, db.connect()?);
    let (mut fast, mut reader) = (db.connect()?, db.connect()?);
    for first_to_commit in [0, 1] {
        let before = log(&mut reader)?;
        begin(&mut first)?;
        append(&mut first, "first")?;
        append(&mut fast, "fast")?;
        assert_eq!(log(&mut reader)?, before);
        begin(&mut second)?;
        append(&mut second, "second")?;
        append(&mut fast, "faster")?;
        assert_eq!(log(&mut reader)?, before);

        let (one, other) =
            if first_to_commit == 0 { (&mut first, &mut second) } else { (&mut second, &mut first) };
        commit(one)?;
        let seen = log(&mut reader)?;
        let complete: &[&str] = if first_to_commit == 0 { &["first", "fast"] } else { &[] };
        assert!(complete.starts_with(&seen[before.len()..].iter().map(String::as_str).collect::<Vec<_>>()));
        commit(other)?;
        assert_eq!(log(&mut reader)?[before.len()..], ["first", "fast", "second", "faster"]);
    }
    Ok(())
}

/// Neither a reader nor an append leaves a lock behind that the other would wait for.
#[test]
fn readers_and_appends_do_not_wait_for_each_other() -> Result {
    let db = Database::migrated()?;
    let (mut slow, mut fast, mut reader) = (db.connect()?, db.connect()?, db.connect()?);
    for conn in [&mut slow, &mut fast, &mut reader] {
        execute(conn, "SET SESSION innodb_lock_wait_timeout = 1")?;
    }
    begin(&mut slow)?;
    append(&mut slow, "slow")?;
    for name in ["1", "2", "3"] {
        assert!(log(&mut reader)?.is_empty());
        append(&mut fast, name)?;
    }
    commit(&mut slow)?;
    assert_eq!(log(&mut reader)?.len(), 4);
    Ok(())
}
