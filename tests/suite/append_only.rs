//! What is recorded is neither changed nor deleted: the database itself refuses.

use diesel::Connection;
use diesel_event_store::{DatabaseError, DatabaseErrorKind, EventStore, ExpectedVersion, Position};
use test_support::{Result, TestDatabase, app_rows, counted, create_app_rows, execute, insert_app_row, user};

tests! {
    an_update_is_refused,
    a_delete_is_refused,
    a_refusal_in_a_savepoint_leaves_the_transaction_usable,
}

fn an_update_is_refused<D: TestDatabase>() -> Result {
    refuses::<D>("UPDATE events SET payload = '{}' WHERE aggregate_version = 1", "UPDATE is refused")?;
    refuses::<D>("UPDATE events SET event_type = event_type", "UPDATE is refused")
}

fn a_delete_is_refused<D: TestDatabase>() -> Result {
    refuses::<D>("DELETE FROM events WHERE aggregate_version = 1", "DELETE is refused")?;
    refuses::<D>("DELETE FROM events", "DELETE is refused")
}

fn refuses<D: TestDatabase>(sql: &str, reason: &str) -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let store = EventStore::new();
    let appended = store.append(&mut conn, &user("alice")?, ExpectedVersion::Any, &counted(2)?)?;

    let refused = DatabaseError::from(execute(&mut conn, sql).unwrap_err());

    assert_eq!(refused.kind(), DatabaseErrorKind::AppendOnly);
    assert!(!refused.is_retryable());
    let message = refused.diesel_error().to_string();
    assert_eq!(message, format!("events is append-only: {reason}"));
    assert!(refused.to_string().starts_with("events are append-only: what is recorded is neither changed"));
    assert_eq!(store.read_forward(&mut conn, Position::START, 10)?.events(), appended.events());
    Ok(())
}

fn a_refusal_in_a_savepoint_leaves_the_transaction_usable<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    create_app_rows(&mut conn)?;
    let (store, alice) = (EventStore::new(), user("alice")?);
    conn.transaction(|conn| -> Result {
        insert_app_row(conn, "row")?;
        store.append(conn, &alice, ExpectedVersion::Any, &counted(1)?)?;
        let refused = conn.transaction(|conn| execute(conn, "DELETE FROM events"));
        assert!(refused.is_err());
        store.append(conn, &alice, ExpectedVersion::Exact(1), &counted(1)?)?;
        Ok(())
    })?;
    assert_eq!(app_rows(&mut conn)?, ["row"]);
    assert_eq!(store.version(&mut conn, &alice)?, 2);
    Ok(())
}
