//! Transactions that SQLite has ended by itself, which diesel does not know of.

use diesel::prelude::*;
use diesel::result::Error::RollbackTransaction;
use diesel_event_store::{
    AppendBatch, DatabaseErrorKind, Error, ExpectedVersion, Position, write_transaction,
};
use test_support::sqlite_file::SqliteFile;
use test_support::{app_rows, changed, create_app_rows, execute, insert_app_row};

use super::database::{STORE, append_one, count, event, stream};

type Work = fn(&mut SqliteConnection) -> Result<(), Error>;

const ENDS: [&str; 3] = ["INSERT INTO once VALUES (1)", "INSERT INTO refused VALUES (1)", "ROLLBACK"];

const WORKS: [(&str, Work); 5] = [
    ("append", |conn| Ok(STORE.append(conn, &stream("1"), ExpectedVersion::Any, &[event()]).map(drop)?)),
    ("append_batch", |conn| {
        let batch = AppendBatch::new().append(&stream("1"), ExpectedVersion::Any, [event()]);
        Ok(STORE.append_batch(conn, &batch).map(drop)?)
    }),
    ("save_checkpoint", |conn| Ok(STORE.save_checkpoint(conn, "mails", Position::START)?)),
    ("write_transaction", |conn| write_transaction(conn, |conn| Ok(insert_app_row(conn, "inner")?))),
    ("transaction", |conn| STORE.transaction(conn, |conn| Ok(insert_app_row(conn, "inner")?))),
];

fn application() -> SqliteConnection {
    let mut conn = SqliteFile::migrated().connect();
    create_app_rows(&mut conn).unwrap();
    let tables = "CREATE TABLE once (n INTEGER UNIQUE ON CONFLICT ROLLBACK); INSERT INTO once VALUES (1);
        CREATE TABLE refused (n INTEGER);
        CREATE TRIGGER refuse BEFORE INSERT ON refused BEGIN SELECT RAISE(ROLLBACK, 'refused'); END";
    execute(&mut conn, tables).unwrap();
    conn
}

/// It would be committed by itself, without the application's rows.
#[test]
fn nothing_is_written_where_the_transaction_has_ended() {
    for end in ENDS {
        for (name, work) in WORKS {
            let mut conn = application();
            let outcome = conn.immediate_transaction(|conn| {
                insert_app_row(conn, "outer")?;
                let _passed_over = changed(conn, end);
                let refused = work(conn).expect_err(name);
                assert_eq!(
                    DatabaseErrorKind::behind(&refused),
                    Some(DatabaseErrorKind::TransactionEnded),
                    "{end}, {name}: {refused:?}"
                );
                Err::<(), Error>(refused)
            });
            assert!(outcome.is_err());
            assert!(app_rows(&mut conn).unwrap().is_empty(), "{end}, {name}");
            for table in ["events", "aggregate_heads", "projection_checkpoints"] {
                assert_eq!(count(&mut conn, table), 0, "{end}, {name}, {table}");
            }
        }
    }
}

#[test]
fn what_ends_only_its_own_statement_ends_no_transaction() {
    let mut conn = application();
    conn.immediate_transaction(|conn| {
        insert_app_row(conn, "outer")?;
        execute(conn, "INSERT OR ABORT INTO once VALUES (1)").expect_err("it is there");
        append_one(conn, &stream("1"));
        let undone = write_transaction(conn, |conn| {
            append_one(conn, &stream("2"));
            Err::<(), Error>(RollbackTransaction.into())
        });
        assert!(undone.is_err());
        Ok::<_, Error>(())
    })
    .unwrap();
    assert_eq!((app_rows(&mut conn).unwrap().len(), count(&mut conn, "events")), (1, 1));
}
