//! A password is shown to nobody, wherever it stands.

use diesel_event_store::EventStore;

use super::run::{command, failure, text};
use super::shop::{shop, url};

#[test]
fn what_is_no_known_url_is_no_file() {
    for wrong in [
        "mysql2://app:s3cret@db/shop",
        "postgresql+psycopg2://app:s3cret@db/shop",
        "POSTGRES://app:s3cret@db/shop",
        "host=db user=app password=s3cret",
    ] {
        for arguments in [&["migrate"][..], &["status", "--json"], &["migrate", "--database-url", wrong]] {
            let (code, said) = failure(wrong, arguments);
            assert!(said.contains("postgresql://…") && said.contains("***"), "{said}");
            assert!(code == 2 && !said.contains("s3cret"), "{said}");
        }
        let (code, said) = failure("", &["copy", wrong, "new.db"]);
        assert!(code == 2 && said.contains("***") && !said.contains("s3cret"), "{said}");
    }
}

#[test]
fn an_argument_too_many_is_not_repeated_with_its_password() {
    for arguments in
        [&["status", "postgres://app:s3cret@db/shop"][..], &["status", "host=db password=s3cret"]]
    {
        for json in [&[][..], &["--json"]] {
            let (code, said) = failure("", &[arguments, json].concat());
            assert!(code == 2 && said.contains("***") && !said.contains("s3cret"), "{said}");
        }
    }
}

/// The source says for ever where the log has moved to.
#[test]
fn a_note_has_no_password() {
    let (shop, folder) = (shop(), tempfile::tempdir().unwrap());
    let to = format!("sqlite://{}/new.db?user=shop&password=s3cret", folder.path().display());
    let output = command(&["copy", &url(&shop), &to, "--rebuild", "mails", "--yes"]).output().unwrap();
    let said = text(&output.stdout) + &text(&output.stderr);
    assert!(!said.contains("s3cret"), "{said}");
    let closed = EventStore::new().log_closed(&mut shop.connect()).unwrap().expect("it is frozen");
    assert!(closed.note().contains("it moves to sqlite://") && !closed.note().contains("s3cret"));
}

#[test]
#[cfg(feature = "postgres")]
fn a_server_that_is_not_found_is_told_without_the_password_on_postgres() {
    let (code, said) = failure("postgres://u:p@sekret@nowhere.invalid/x", &["status"]);
    assert!(code == 1 && said.contains("***@nowhere.invalid") && !said.contains("sekret"), "{said}");
}
