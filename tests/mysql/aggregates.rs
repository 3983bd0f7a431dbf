//! Commands in transactions of each isolation level.

use diesel::RunQueryDsl;
use diesel::dsl::sql;
use diesel::sql_types::BigInt;
use diesel_event_store::{AppendBatch, DatabaseErrorKind, ExpectedVersion, RunAgain, write_transaction};
use test_support::counter::{count_by, count_once, count_while, counter};
use test_support::{Result, count, counted, eventually, execute, user};

use super::database::{Database, STORE, begin, commit, is_mariadb, rollback};

/// There is no head yet that could be locked.
#[test]
fn a_conflict_on_a_new_aggregate_is_returned_and_leaves_the_transaction_usable() -> Result {
    for level in ["READ COMMITTED", "REPEATABLE READ"] {
        let db = Database::migrated()?;
        let (mut conn, mut other) = (db.connect_in(level)?, db.connect()?);
        begin(&mut conn)?;
        count_once(&mut conn, "before")?;
        let (decided, refused) = count_while(&mut conn, "new", || {
            count_once(&mut other, "new").expect("nothing stands in its way");
        });
        assert_eq!((decided, refused.unwrap_err().conflict().map(|conflict| conflict.actual)), (1, Some(1)));
        commit(&mut conn)?;
        assert_eq!(counter("before").load(&mut conn)?.version, 1, "{level}");
    }
    Ok(())
}

/// A lock on the gap would keep every other new aggregate out.
#[test]
fn a_command_on_a_new_aggregate_keeps_no_other_new_aggregate_out() -> Result {
    let db = Database::migrated()?;
    let (mut conn, mut other) = (db.connect()?, db.connect()?);
    begin(&mut conn)?;
    let (_, counted) = count_while(&mut conn, "b", || {
        count_once(&mut other, "a").expect("nothing stands in its way");
        count_once(&mut other, "c").expect("nothing stands in its way");
    });
    assert_eq!(counted?.version, 1);
    commit(&mut conn)
}

/// What was read before is what is decided on, and the head says that it is old.
#[test]
fn in_repeatable_read_a_state_that_is_old_is_a_conflict_also_on_mariadb_11_8() -> Result {
    let db = Database::migrated()?;
    let (mut conn, mut other) = (db.connect_in("REPEATABLE READ")?, db.connect()?);
    count_once(&mut conn, "old")?;
    begin(&mut conn)?;
    counter("old").load(&mut conn)?;
    count_once(&mut other, "old")?;
    let (decided, refused) = count_while(&mut conn, "old", || ());
    let refused = refused.unwrap_err();
    assert_eq!((decided, refused.conflict().map(|conflict| conflict.actual)), (1, Some(2)), "{refused}");
    rollback(&mut conn)?;
    assert_eq!(count_once(&mut conn, "old")?, 3);
    Ok(())
}

/// `write_transaction` begins READ COMMITTED whatever the session's level is, and the head is locked there.
#[test]
fn in_a_write_transaction_the_newest_state_is_decided_on() -> Result {
    let db = Database::migrated()?;
    let (mut conn, mut other) = (db.connect_in("REPEATABLE READ")?, db.connect()?);
    count_once(&mut conn, "old")?;
    let version = write_transaction(&mut conn, |conn| -> Result<i64> {
        counter("old").load(conn)?;
        count_once(&mut other, "old")?;
        Ok(count_once(conn, "old")?)
    })?;
    assert_eq!(version, 3);
    Ok(())
}

/// The application's own locking read: MariaDB answers with 1020 and has rolled the transaction back. From
/// 11.6 on it does so by default. MySQL reads what is committed now.
#[test]
fn error_1020_is_a_reason_to_run_the_transaction_again() -> Result {
    let db = Database::migrated()?;
    let (mut conn, mut other) = (db.connect_in("REPEATABLE READ")?, db.connect()?);
    if !is_mariadb(&mut conn)? {
        return Ok(());
    }
    test_support::execute(&mut conn, "SET innodb_snapshot_isolation = ON")?;
    test_support::create_app_rows(&mut conn)?;
    test_support::insert_app_row(&mut other, "row")?;
    begin(&mut conn)?;
    assert_eq!(test_support::app_rows(&mut conn)?.len(), 1);
    test_support::execute(&mut other, "UPDATE app_rows SET name = 'changed'")?;
    let refused = test_support::execute(&mut conn, "UPDATE app_rows SET name = 'mine'").unwrap_err();
    assert!(refused.may_run_again(), "{refused}");
    rollback(&mut conn)
}

/// Its snapshot has neither the key nor the events.
#[test]
fn in_repeatable_read_a_repetition_of_something_newer_is_to_be_run_again() -> Result {
    let db = Database::migrated()?;
    let (mut conn, mut other) = (db.connect_in("REPEATABLE READ")?, db.connect()?);
    begin(&mut conn)?;
    counter("old").load(&mut conn)?;
    let request = counter("old").idempotency_key("k");
    count_by(&request, &mut other)?;
    let refused = count_by(&request, &mut conn).unwrap_err();
    assert!(refused.may_run_again(), "{refused}");
    let batch = AppendBatch::new().append(&user("alice")?, ExpectedVersion::Any, counted(1)?);
    let batch = batch.idempotency_key("batch");
    STORE.append_batch(&mut other, &batch)?;
    let refused = STORE.append_batch(&mut conn, &batch).unwrap_err();
    assert!(refused.may_run_again(), "{refused}");
    rollback(&mut conn)?;
    assert!(count_by(&request, &mut conn)?.is_repeat && STORE.append_batch(&mut conn, &batch)?.is_repeat());
    Ok(())
}

/// It may have been recorded before the connection was lost.
#[test]
fn a_command_is_never_decided_again_on_a_connection_that_is_lost() -> Result {
    let db = Database::migrated()?;
    let (mut conn, mut admin) = (db.connect()?, db.connect()?);
    let id: i64 = diesel::select(sql::<BigInt>("CONNECTION_ID()")).get_result(&mut conn)?;
    let (decided, lost) = count_while(&mut conn, "c", || {
        execute(&mut admin, &format!("KILL {id}")).expect("it is there");
        let is_gone =
            || Ok(count(&mut admin, &format!("information_schema.PROCESSLIST WHERE ID = {id}"))? == 0);
        eventually("it has ended", is_gone).expect("it ends");
    });
    let lost = lost.expect_err("its connection was lost");
    assert_eq!(DatabaseErrorKind::behind(&lost), Some(DatabaseErrorKind::ConnectionLost), "{lost}");
    assert_eq!((decided, lost.may_run_again()), (1, false));
    assert_eq!(counter("c").load(&mut admin)?.version, 0);
    Ok(())
}
