use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_event_store::{
    DatabaseError, DatabaseErrorKind, Error, ExpectedVersion, Position, run_pending_migrations,
};
use test_support::sqlite_file::{SqliteFile, assert_intact};

use super::database::{STORE, append_one, count, events, stream};

/// `VACUUM INTO` a new file, as the database `database.path()` of a folder of its own.
fn back_up(conn: &mut SqliteConnection) -> SqliteFile {
    let backup = SqliteFile::absent();
    vacuum_into(conn, &backup.path());
    backup
}

fn vacuum_into(conn: &mut SqliteConnection, path: &Path) {
    conn.batch_execute(&format!("VACUUM INTO '{}'", path.display())).unwrap();
}

/// That it can be opened and gone on with like the original.
fn assert_usable(backup: &SqliteFile) {
    let mut conn = backup.connect();
    assert!(run_pending_migrations(&mut conn).unwrap().is_empty());
    assert_intact(&mut conn);

    let last = STORE.last_position(&mut conn).unwrap();
    let version = STORE.version(&mut conn, &stream("1")).unwrap();
    let appended =
        STORE.append(&mut conn, &stream("1"), ExpectedVersion::Exact(version), &events(2)).unwrap();
    assert_eq!(appended.version(), version + 2);
    assert!(appended.events()[0].position() > last);

    let refused =
        DatabaseError::from(diesel::sql_query("DELETE FROM events").execute(&mut conn).unwrap_err());
    assert_eq!(refused.kind(), DatabaseErrorKind::AppendOnly);
    assert_intact(&mut conn);
}

#[test]
fn a_backup_while_another_connection_appends_is_consistent() {
    let database = SqliteFile::migrated();
    let enough = AtomicBool::new(false);
    let (appended, appends) = mpsc::channel();
    let backups: Vec<SqliteFile> = thread::scope(|scope| {
        scope.spawn(|| {
            let appended = appended;
            let mut conn = database.connect();
            for nth in 0.. {
                let to = stream(if nth % 3 == 0 { "1" } else { "2" });
                STORE.append(&mut conn, &to, ExpectedVersion::Any, &events(1 + nth % 4)).unwrap();
                appended.send(()).unwrap();
                if enough.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        let mut conn = database.connect();
        let backups = (0..5)
            .map(|_| {
                // What was appended before the last backup is in that one.
                appends.try_iter().for_each(drop);
                appends.iter().take(10).count();
                back_up(&mut conn)
            })
            .collect();
        enough.store(true, Ordering::Relaxed);
        // The writer may be about to say that it has appended.
        appends.iter().for_each(drop);
        backups
    });

    let mut last = Position::START;
    for backup in &backups {
        let position = STORE.last_position(&mut backup.connect()).unwrap();
        assert!(position > last, "a later backup has more: {position} after {last}");
        last = position;
        assert_usable(backup);
    }
}

#[test]
fn a_backup_has_nothing_of_a_transaction_that_is_still_open() {
    let database = SqliteFile::migrated();
    let (mut writer, mut conn) = (database.connect(), database.connect());
    append_one(&mut writer, &stream("1"));
    let backup = writer
        .immediate_transaction::<_, Error, _>(|writer| {
            append_one(writer, &stream("1"));
            Ok(back_up(&mut conn))
        })
        .unwrap();
    assert_eq!(count(&mut backup.connect(), "events"), 1);
    assert_usable(&backup);
}
