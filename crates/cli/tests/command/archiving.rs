//! Streams leave a store for a file, and come back.

use std::fs;
use std::thread;
use std::time::Duration;

use diesel_event_store::EventConnection;
use tempfile::tempdir;
use test_support::random::Random;
use test_support::sqlite_file::SqliteFile;
use test_support::{TestDatabase, execute};

use super::run::{answer, command, failure, run, text};
use super::shop::{append, shop, url};
#[cfg(target_os = "linux")]
use super::terminal::Terminal;

/// Two orders have ended, and a third goes on.
fn orders() -> SqliteFile {
    let file = SqliteFile::migrated();
    let mut conn = file.connect();
    append(&mut conn, "o-1", &["OrderPlaced", "OrderPaid"]);
    append(&mut conn, "o-2", &["OrderPlaced"]);
    append(&mut conn, "o-3", &["OrderPlaced"]);
    file
}

#[test]
fn streams_are_archived_and_restored() {
    let (orders, folder) = (orders(), tempdir().unwrap());
    answer(&url(&orders), &["seal"]);
    let before = answer(&url(&orders), &["export", "-"]);
    for name in ["old.jsonl", "old.jsonl.gz", "old.jsonl.zst"] {
        let file = folder.path().join(name).display().to_string();
        let (code, said) = failure(&url(&orders), &["archive", "--before", "4", &file]);
        assert_eq!(code, 4);
        assert!(
            said.contains("3 events of 2 streams, which end before position 4, would be written to"),
            "{said}"
        );
        assert!(!fs::exists(&file).unwrap());

        let said = answer(&url(&orders), &["archive", "--before", "4", &file, "--yes"]);
        assert_eq!(said, format!("3 events of 2 streams archived in {file}\n"));
        let told = answer(&url(&orders), &["verify"]);
        let expected = "3 events archived, which cannot be shown: at 1 to 3\n\
                        1 event of 1 stream to position 4, 1 seal: all agree\n";
        assert_eq!(told, expected);
        assert_eq!(answer(&url(&orders), &["log", "--json"]).lines().count(), 1);
        let (code, said) = failure(&url(&orders), &["stream", "Order", "o-1"]);
        let gone = "error: the events of Order/o-1 up to version 2 were archived or erased\n";
        assert_eq!((code, said.as_str()), (1, gone));

        assert_eq!(
            answer(&url(&orders), &["import", "--restore", &file]),
            "3 events of 2 streams restored\n"
        );
        assert_eq!(answer(&url(&orders), &["export", "-"]), before);
        let again = answer(&url(&orders), &["import", "--restore", &file, "--json"]);
        assert_eq!(again, "{\"events\":0,\"streams\":0}\n");
    }
}

#[test]
fn a_file_that_is_there_is_finished() {
    let (orders, folder) = (orders(), tempdir().unwrap());
    let file = folder.path().join("old.jsonl").display().to_string();
    answer(&url(&orders), &["archive", "--before", "3", &file, "--yes"]);
    answer(&url(&orders), &["import", "--restore", &file]);
    let (code, said) = failure(&url(&orders), &["archive", "--before", "4", &file]);
    assert_eq!(code, 4);
    assert!(said.contains("is there already; what it holds would be removed"), "{said}");
    let done = answer(&url(&orders), &["archive", "--before", "4", &file, "--yes", "--json"]);
    assert!(done.contains(r#""events":2"#), "only what is in it: {done}");
}

/// Another command writes the file while this one waits for its answer: its events are nowhere else.
#[test]
#[cfg(target_os = "linux")]
fn an_archive_never_replaces_another() {
    let (orders, folder) = (orders(), tempdir().unwrap());
    let before = answer(&url(&orders), &["export", "-"]);
    let file = folder.path().join("old.jsonl").display().to_string();
    let mut waits = Terminal::of(&["archive", "--before", "4", &file, "--database-url", &url(&orders)]);
    waits.wait_for("Go on? [y/N] ");
    answer(&url(&orders), &["archive", "--before", "3", &file, "--yes"]);
    let archive = fs::read(&file).unwrap();
    waits.type_in(b"y\n");
    let (code, shown) = waits.end();
    assert_eq!(code, Some(1), "{shown}");
    assert!(shown.contains("it was written meanwhile; nothing was removed"), "{shown}");
    assert_eq!(fs::read(&file).unwrap(), archive);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
    answer(&url(&orders), &["import", "--restore", &file]);
    assert_eq!(answer(&url(&orders), &["export", "-"]), before);
}

#[test]
fn what_cannot_be_archived_is_said() {
    let (shop, folder) = (shop(), tempdir().unwrap());
    let file = folder.path().join("old.jsonl").display().to_string();
    append(&mut shop.connect(), "o-3", &["OrderPlaced"]);
    let archive = |before: &str| run(&url(&shop), &["archive", "--before", before, &file, "--yes"]);
    let refused = archive("4");
    assert_eq!(refused.status.code(), Some(1));
    let said = text(&refused.stderr);
    assert!(said.contains("mails version 1 has parked the event at position 2"), "{said}");
    assert!(said.ends_with("  diesel-event-store projections parked mails --version 1\n"), "{said}");
    execute(&mut shop.connect(), "DELETE FROM parked_events").unwrap();
    let said = text(&archive("4").stderr);
    assert!(said.ends_with("  let it catch up, or archive --before 3\n"), "{said}");
    assert_eq!(text(&archive("1").stdout), "no stream ends before position 1\n");
    assert_eq!(text(&archive("2020-01-01").stdout), "no stream ends before position 1\n");
    assert_eq!(text(&archive("2020-01-01T12:00:00Z").stdout), "no stream ends before position 1\n");
    for usage in ["soon", "-1"] {
        let refused = run(&url(&shop), &["archive", &format!("--before={usage}"), &file]);
        assert_eq!(refused.status.code(), Some(2), "{usage}: {}", text(&refused.stderr));
    }
    assert_eq!(run(&url(&shop), &["archive", "--before", "3", "-", "--yes"]).status.code(), Some(2));
    assert!(!fs::exists(&file).unwrap());

    let log = folder.path().join("log.jsonl").display().to_string();
    answer(&url(&shop), &["export", &log]);
    let (code, said) = failure(&url(&shop), &["archive", "--before", "3", &log, "--yes"]);
    assert_eq!(code, 1);
    assert!(said.contains("this is an exported log, and no archive"), "{said}");
    assert_eq!(answer(&url(&shop), &["log", "--json"]).lines().count(), 4);
}

/// Killed again and again, until it comes to its end. Nothing is lost.
pub fn goes_on<D: TestDatabase>()
where
    D::Conn: EventConnection,
{
    let (db, folder) = (D::migrated().unwrap(), tempdir().unwrap());
    let mut conn = db.connect().unwrap();
    for order in 0..400 {
        append(&mut conn, &order.to_string(), &["OrderPlaced"; 10]);
    }
    append(&mut conn, "last", &["OrderPlaced"]);
    answer(&db.url(), &["seal"]);
    let before = answer(&db.url(), &["export", "-"]);
    let file = folder.path().join("old.jsonl").display().to_string();
    let (mut random, mut longest, mut kills) = (Random::from_seed(7), 60, 0);
    loop {
        let mut archive = command(&["archive", "--before", "99999", &file, "--yes"]);
        let mut archive = archive.env("DATABASE_URL", db.url()).spawn().unwrap();
        thread::sleep(Duration::from_millis(random.below(longest)));
        archive.kill().unwrap();
        match archive.wait().unwrap().code() {
            Some(0) => break,
            Some(code) => panic!("it has ended by itself with {code}"),
            None => kills += 1,
        }
        longest += longest / 4;
    }
    assert!(kills > 2, "{kills} kills are none");
    assert_eq!(answer(&db.url(), &["log", "--json"]).lines().count(), 1);
    let told = answer(&db.url(), &["verify"]);
    assert!(told.starts_with("4,000 events archived") && told.ends_with(": all agree\n"), "{told}");
    answer(&db.url(), &["import", "--restore", &file]);
    assert_eq!(answer(&db.url(), &["export", "-"]), before);
}

#[test]
fn a_killed_archive_goes_on() {
    goes_on::<test_support::Sqlite>();
}
