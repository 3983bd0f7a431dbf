//! Who looks changes nothing, and a file of SQLite keeps the journal mode that somebody has chosen for it.

use std::fs;

use diesel_event_store::run_pending_migrations;
use diesel_event_store::sqlite::{JournalMode, Options};
use test_support::execute;
use test_support::sqlite_file::{SqliteFile, text as ask};

use super::run::{answer, failure, run};
use super::shop::{append, url};

/// As somebody makes it whose files are on a network file system.
fn shop_without_wal() -> SqliteFile {
    let file = SqliteFile::absent();
    let mut conn = file.connect_with(Options::default().journal_mode(JournalMode::Delete));
    run_pending_migrations(&mut conn).unwrap();
    append(&mut conn, "o-1", &["OrderPlaced", "OrderPaid"]);
    file
}

fn journal_mode(file: &SqliteFile) -> String {
    ask(&mut file.connect_plainly(), "SELECT journal_mode FROM pragma_journal_mode")
}

const LOOKING: [&[&str]; 12] = [
    &["status"],
    &["doctor"],
    &["verify"],
    &["streams"],
    &["stream", "Order", "o-1"],
    &["event", "00000000-0000-0000-0000-000000000000"],
    &["trace", "o-1"],
    &["log"],
    &["projections"],
    &["projections", "parked", "mails"],
    &["export", "-"],
    &["copy", "{}", "absent.db", "--dry-run"],
];

fn look(url: &str) {
    for arguments in LOOKING {
        let arguments: Vec<_> = arguments.iter().map(|word| word.replace("{}", url)).collect();
        run(url, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

#[test]
fn who_looks_changes_no_byte() {
    let (shop, foreign, empty) = (shop_without_wal(), SqliteFile::absent(), SqliteFile::absent());
    execute(&mut foreign.connect_plainly(), "CREATE TABLE notes (text TEXT)").unwrap();
    fs::write(empty.path(), "").unwrap();
    for file in [&shop, &foreign, &empty] {
        let before = fs::read(file.path()).unwrap();
        look(&url(file));
        assert!(fs::read(file.path()).unwrap() == before, "{} was changed", file.path().display());
    }
    assert_eq!(answer(&url(&shop), &["log"]).lines().count(), 2);
}

#[test]
fn a_file_that_is_not_there_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("nope.db");
    for uri in [format!("file:{}", file.display()), format!("file:{}?cache=private", file.display())] {
        for arguments in [["status"], ["seal"]] {
            let (code, said) = failure(&uri, &arguments);
            assert!(code == 1 && said.contains("there is no file"), "{said}");
        }
        assert!(!file.exists());
    }
    answer(&format!("file:{}", file.display()), &["migrate"]);
    assert!(answer(&format!("file:{}", file.display()), &["status"]).contains("open"));
}

#[test]
fn who_changes_something_keeps_the_journal_mode() {
    let shop = shop_without_wal();
    answer(&url(&shop), &["migrate"]);
    answer(&url(&shop), &["seal"]);
    answer(&url(&shop), &["freeze", "a test", "--yes"]);
    assert_eq!(journal_mode(&shop), "delete");
    let new = SqliteFile::absent();
    answer(&url(&new), &["migrate"]);
    assert_eq!(journal_mode(&new), "wal");
}

/// Such as one in a folder that is read-only, or on a disk that is.
#[test]
fn what_cannot_be_written_can_be_looked_at() {
    let shop = shop_without_wal();
    let uri = format!("file:{}?mode=ro", url(&shop));
    assert_eq!(answer(&uri, &["log"]).lines().count(), 2);
    assert_eq!(answer(&uri, &["verify"]), "2 events of 1 stream to position 2: all agree\n");
}
