//! A sealed log shows what was changed in it.

use diesel::Connection;
use diesel_event_store::operate::{Finding, Seal, SealError, seal, verify};
use diesel_event_store::{
    ConnectionRef, DatabaseError, DatabaseErrorKind, EventConnection, EventStore, ExpectedVersion, Position,
};
use test_support::witness::{begin, roll_back};
use test_support::{Result, TestDatabase, at_once, count, counted, execute, user};

use super::housekeeping::remove;

tests! {
    a_seal_goes_on_from_the_last,
    a_log_without_events_has_no_seal,
    a_changed_event_is_found,
    a_removed_event_is_found,
    a_removed_end_is_found,
    a_changed_seal_is_found,
    seals_are_append_only,
    several_may_seal_at_once,
    it_is_not_sealed_inside_a_transaction,
}

const STORE: EventStore = EventStore::new();

/// Changes events through the door.
fn change<C: EventConnection>(conn: &mut C, set: &str, condition: &str) -> Result {
    let [open, close] = match conn.lend() {
        #[cfg(feature = "postgres")]
        ConnectionRef::Postgres(_) => [
            "ALTER TABLE events DISABLE TRIGGER events_refuse_change",
            "ALTER TABLE events ENABLE TRIGGER events_refuse_change",
        ],
        #[cfg(feature = "mysql")]
        ConnectionRef::Mysql(_) => [
            "DROP TRIGGER events_refuse_update",
            "CREATE TRIGGER events_refuse_update BEFORE UPDATE ON events FOR EACH ROW \
             SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'events is append-only: UPDATE is refused'",
        ],
        #[cfg(feature = "sqlite")]
        ConnectionRef::Sqlite(_) => [
            "DROP TRIGGER events_refuse_update",
            "CREATE TRIGGER events_refuse_update BEFORE UPDATE ON events \
             BEGIN SELECT RAISE(ABORT, 'events is append-only: UPDATE is refused'); END",
        ],
        _ => unreachable!("the suite does not know this database"),
    };
    for statement in [open, &format!("UPDATE events SET {set} WHERE {condition}"), close] {
        execute(conn, statement)?;
    }
    Ok(())
}

fn append<C: EventConnection>(conn: &mut C, name: &str) -> Result {
    STORE.append(conn, &user(name)?, ExpectedVersion::Any, &counted(3)?)?;
    Ok(())
}

/// Three seals, each over three more events.
fn sealed<D: TestDatabase>() -> Result<(D, D::Conn, Vec<Seal>)> {
    let db = D::migrated()?;
    let (mut conn, mut seals) = (db.connect()?, Vec::new());
    for name in ["alice", "bob", "carol"] {
        append(&mut conn, name)?;
        seals.extend(seal(&mut conn)?);
    }
    append(&mut conn, "dave")?;
    let verified = verify(&mut conn)?;
    assert!(verified.is_sound(), "{verified:?}");
    assert_eq!((verified.events(), verified.seals()), (12, 3));
    Ok((db, conn, seals))
}

fn found<C: EventConnection>(conn: &mut C) -> Result<Vec<(i64, i64)>> {
    let findings = verify(conn)?.findings().to_vec();
    let seals = findings.iter().filter_map(|finding| match finding {
        Finding::Seal { position, after, .. } => Some((after.get(), position.get())),
        _ => None,
    });
    Ok(seals.collect())
}

fn a_seal_goes_on_from_the_last<D: TestDatabase>() -> Result {
    let (_db, mut conn, seals) = sealed::<D>()?;
    let places: Vec<_> = seals.iter().map(|seal| (seal.position().get(), seal.events())).collect();
    assert_eq!(places, [(3, 3), (6, 6), (9, 9)]);
    let last = seal(&mut conn)?.expect("there are events");
    assert_eq!((last.position(), last.events()), (STORE.last_position(&mut conn)?, 12));
    // The same as all at once.
    let unlock = unlock(&mut conn);
    execute(&mut conn, &format!("{unlock}; DELETE FROM event_seals"))?;
    assert_eq!(seal(&mut conn)?.expect("there are events").chain(), last.chain());
    // Nothing is new.
    let again = seal(&mut conn)?.expect("there are events");
    assert_eq!((again.chain(), count(&mut conn, "event_seals")?), (last.chain(), 1));
    Ok(())
}

/// Lets seals be deleted and changed.
fn unlock<C: EventConnection>(conn: &mut C) -> &'static str {
    match conn.lend() {
        #[cfg(feature = "postgres")]
        diesel_event_store::ConnectionRef::Postgres(_) => {
            "ALTER TABLE event_seals DISABLE TRIGGER event_seals_refuse_change"
        }
        _ => "DROP TRIGGER event_seals_refuse_update; DROP TRIGGER event_seals_refuse_delete",
    }
}

fn a_log_without_events_has_no_seal<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    assert_eq!(seal(&mut conn)?, None);
    assert_eq!(count(&mut conn, "event_seals")?, 0);
    Ok(())
}

fn a_changed_event_is_found<D: TestDatabase>() -> Result {
    let (_db, mut conn, _) = sealed::<D>()?;
    change(&mut conn, "event_type = 'Uncounted'", "global_position = 5")?;
    assert_eq!(found(&mut conn)?, [(3, 6)]);
    let said = verify(&mut conn)?.findings()[0].to_string();
    assert!(said.starts_with("the seal at 6 does not fit") && said.contains("above position 3"), "{said}");
    // Later seals go on from the old one, and do not cover it up.
    seal(&mut conn)?;
    assert_eq!(found(&mut conn)?, [(3, 6)]);
    change(&mut conn, "event_type = 'Counted'", "global_position = 5")?;
    assert!(found(&mut conn)?.is_empty());
    Ok(())
}

fn a_removed_event_is_found<D: TestDatabase>() -> Result {
    let (_db, mut conn, _) = sealed::<D>()?;
    remove(&mut conn, "global_position IN (3, 8)")?;
    assert_eq!(found(&mut conn)?, [(0, 3), (6, 9)]);
    Ok(())
}

fn a_removed_end_is_found<D: TestDatabase>() -> Result {
    let (_db, mut conn, _) = sealed::<D>()?;
    remove(&mut conn, "global_position > 7")?;
    assert_eq!(found(&mut conn)?, [(6, 9)]);
    remove(&mut conn, "global_position > 0")?;
    assert_eq!(found(&mut conn)?, [(0, 3), (3, 6), (6, 9)]);
    Ok(())
}

fn a_changed_seal_is_found<D: TestDatabase>() -> Result {
    let (_db, mut conn, seals) = sealed::<D>()?;
    let unlock = unlock(&mut conn);
    let set = "UPDATE event_seals SET chain";
    let other = seals[0].chain();
    execute(&mut conn, &format!("{unlock}; {set} = '{other}' WHERE global_position = 6"))?;
    assert_eq!(found(&mut conn)?, [(3, 6), (6, 9)]);
    let back = seals[1].chain();
    let number = "UPDATE event_seals SET events";
    execute(&mut conn, &format!("{set} = '{back}' WHERE global_position = 6"))?;
    execute(&mut conn, &format!("{number} = 7 WHERE global_position = 6"))?;
    assert_eq!(found(&mut conn)?, [(3, 6), (6, 9)]);
    execute(&mut conn, &format!("{number} = 6 WHERE global_position = 6"))?;
    assert_eq!(found(&mut conn)?, []);
    execute(&mut conn, &format!("{set} = '{other}' WHERE global_position = 6"))?;
    execute(&mut conn, &format!("{set} = 'none' WHERE global_position = 9"))?;
    assert_eq!(found(&mut conn)?, [(3, 6), (6, 9)]);
    match seal(&mut conn) {
        Err(SealError::Unreadable { position, .. }) => assert_eq!(position, Position::new(9)?),
        other => panic!("{other:?}"),
    }
    Ok(())
}

fn seals_are_append_only<D: TestDatabase>() -> Result {
    let (_db, mut conn, _) = sealed::<D>()?;
    for (sql, verb) in
        [("UPDATE event_seals SET events = 1", "UPDATE"), ("DELETE FROM event_seals", "DELETE")]
    {
        let refused = DatabaseError::from(execute(&mut conn, sql).unwrap_err());
        assert_eq!(refused.kind(), DatabaseErrorKind::AppendOnly);
        let said = refused.diesel_error().to_string();
        assert_eq!(said, format!("event_seals is append-only: {verb} is refused"));
    }
    assert_eq!(count(&mut conn, "event_seals")?, 3);
    Ok(())
}

/// While others append.
fn several_may_seal_at_once<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conns = (0..4).map(|_| db.connect()).collect::<Result<Vec<_>>>()?;
    let outcomes = at_once(&mut conns, |index, conn| -> Result {
        for _ in 0..10 {
            match index % 2 {
                0 => append(conn, &index.to_string())?,
                _ => seal_patiently(conn)?,
            }
        }
        Ok(())
    });
    outcomes.into_iter().collect::<Result>()?;
    let mut conn = db.connect()?;
    let last = seal(&mut conn)?.expect("there are events");
    assert_eq!((last.events(), last.position()), (60, STORE.last_position(&mut conn)?));
    assert!(verify(&mut conn)?.is_sound());
    Ok(())
}

/// That another has sealed up to the same event is no error.
fn seal_patiently<C: EventConnection>(conn: &mut C) -> Result<(), SealError> {
    loop {
        match seal(conn) {
            Err(error) if error.is_retryable() => {}
            outcome => return outcome.map(drop),
        }
    }
}

fn it_is_not_sealed_inside_a_transaction<D: TestDatabase>() -> Result {
    let (_db, mut conn, _) = sealed::<D>()?;
    begin(&mut conn)?;
    assert!(matches!(seal(&mut conn), Err(SealError::InTransaction)));
    roll_back(&mut conn)?;
    conn.transaction(|conn| -> Result {
        assert!(verify(conn)?.is_sound(), "what is not read is not compared");
        Ok(())
    })
}
