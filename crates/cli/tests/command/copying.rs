//! A log moves to another database, if that is confirmed.

use diesel_event_store::EventStore;
use test_support::sqlite_file::SqliteFile;

use super::run::{answer, command, failure, text};
use super::shop::{append, shop, url};

/// A place where no file is yet.
fn elsewhere(shop: &SqliteFile) -> String {
    shop.path().with_extension("new").display().to_string()
}

fn copy(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = command(&[&["copy"], arguments].concat()).output().expect("it starts");
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_log_moves() {
    let shop = shop();
    let (from, to) = (url(&shop), elsewhere(&shop));
    let (code, said, error) = copy(&[&from, &to, "--dry-run"]);
    assert_eq!(code, Some(4));
    assert!(said.starts_with("would copy everything to position 3\n"), "{said}");
    assert!(said.contains("mails version 1: say --keep or --rebuild"), "{said}");
    assert!(error.contains("--rebuild mails\n"), "{error}");
    assert!(!std::path::Path::new(&to).exists(), "nothing was made");

    let (code, _, error) = copy(&[&from, &to, "--yes"]);
    assert_eq!(code, Some(4));
    assert!(error.contains("(rebuild): mails") && error.contains("--rebuild mails\n"), "{error}");
    let (code, _, error) = copy(&[&from, &to, "--keep", "mails"]);
    assert_eq!(code, Some(4));
    assert!(error.contains("would be refused from then on") && error.contains("--yes"), "{error}");
    append(&mut shop.connect(), "o-1", &["OrderShipped"]);

    let (code, said, error) = copy(&[&from, &to, "--keep", "mails", "--yes"]);
    assert_eq!(code, Some(0), "{error}");
    assert!(said.starts_with("closed for ") && said.contains("all equal to position 4"), "{said}");
    assert!(said.ends_with(&format!("; {to} is open\n")), "{said}");
    let closed = EventStore::new().log_closed(&mut shop.connect()).unwrap().expect("it is frozen");
    assert!(closed.note().contains(&format!("it moves to {to}")), "{}", closed.note());
    assert_eq!(answer(&to, &["export", "-"]), answer(&from, &["export", "-"]));
    let again = copy(&[&from, &to, "--keep", "mails", "--yes"]).1;
    assert_eq!(again, format!("the log has moved already: {to} is open\n"));

    let (code, said) = failure(&from, &["unfreeze", "--yes"]);
    assert!(code == 1 && said.contains("the log has moved") && said.contains("--target-is-lost"), "{said}");
    let (code, said) = failure(&from, &["unfreeze", "--target-is-lost"]);
    assert!(code == 4 && said.contains("there would be two that differ"), "{said}");
    assert_eq!(answer(&from, &["unfreeze", "--target-is-lost", "--yes"]), "the log is open\n");
}

#[test]
#[cfg(unix)]
fn the_tables_of_a_read_model_move_by_a_command() {
    let shop = shop();
    let (from, to) = (url(&shop), elsewhere(&shop));
    let tables = shop.path().with_extension("tables").display().to_string();
    let run = format!("echo copying tables; test -e {tables} && echo \"$COPY_FROM $COPY_TO\" >> {tables}");
    let arguments = [&from, &to, "--keep", "mails", "--yes", "--run", &run];
    let (code, said, error) = copy(&arguments);
    assert_eq!((code, said.as_str()), (Some(1), ""));
    assert!(error.starts_with("copying tables\nerror: the read models were not copied: "), "{error}");
    assert!(error.contains("run it again") && error.contains("--abandon --yes"), "{error}");
    assert!(EventStore::new().log_closed(&mut shop.connect()).unwrap().is_some());

    std::fs::write(&tables, "").unwrap();
    let (code, said, error) = copy(&arguments);
    assert_eq!(code, Some(0), "{error}");
    assert!(said.starts_with("closed for "), "{said}");
    assert_eq!(std::fs::read_to_string(&tables).unwrap(), format!("{from} {to}\n"));
    assert_eq!(copy(&[&from, &to, "--run", "true"]).0, Some(2), "no read model is kept");
}

#[test]
fn a_copy_is_abandoned() {
    let shop = shop();
    let (from, to) = (url(&shop), elsewhere(&shop));
    assert_eq!(copy(&[&from, &to, "--rebuild", "mails"]).0, Some(4));
    assert_eq!(copy(&[&from, &to, "--abandon"]).0, Some(4));
    let (code, said, _) = copy(&[&from, &to, "--abandon", "--yes"]);
    assert_eq!(code, Some(0));
    let advice = format!("diesel-event-store copy {from} {to}\n");
    assert_eq!(said, format!("the copy is abandoned; to continue it, run it again: {advice}"));
    append(&mut shop.connect(), "o-1", &["OrderShipped"]);
    let taken_back = answer(&to, &["import", "--discard", "--yes"]);
    assert!(taken_back.contains("the store is empty"), "{taken_back}");
}

#[test]
fn what_cannot_be_copied_says_why() {
    let (shop, other) = (shop(), shop());
    let (from, to) = (url(&shop), url(&other));
    let (code, _, error) = copy(&[&from, &to, "--rebuild", "mails", "--yes"]);
    assert_eq!(code, Some(1));
    assert!(error.contains("open and has events") && error.contains("another database"), "{error}");
    let (code, _, error) = copy(&[&from, &elsewhere(&shop), "--rebuild", "orders", "--yes"]);
    assert_eq!((code, error.as_str()), (Some(2), "error: the source has no projection orders\n"));
    let (code, error) = failure(&from, &["copy", &elsewhere(&other), &to]);
    assert_eq!(code, 1);
    assert!(error.contains("there is no file"), "{error}");
}

/// Both logs are closed.
fn switched_in_part(from: &str, to: &str) {
    let (code, _, error) = copy(&[from, to, "--keep", "mails", "--yes", "--run", "false"]);
    assert_eq!(code, Some(1), "{error}");
}

#[test]
fn a_copy_that_follows_does_not_finish_a_switch() {
    let shop = shop();
    let (from, to) = (url(&shop), elsewhere(&shop));
    switched_in_part(&from, &to);
    let (code, _, error) = copy(&[&from, &to, "--keep", "mails", "--follow"]);
    assert_eq!(code, Some(1), "{error}");
    assert!(error.contains("frozen for this copy already"), "{error}");
    assert!(error.contains("without --follow") && error.contains("--abandon --yes"), "{error}");
    assert_eq!(copy(&[&from, &to, "--abandon", "--yes"]).0, Some(0));
    append(&mut shop.connect(), "o-1", &["OrderShipped"]);
}

#[test]
fn who_abandons_another_copy_hears_that_the_source_stays_closed() {
    let shop = shop();
    let (from, to) = (url(&shop), elsewhere(&shop));
    let earlier = shop.path().with_extension("earlier").display().to_string();
    assert_eq!(copy(&[&from, &earlier, "--keep", "mails"]).0, Some(4));
    switched_in_part(&from, &to);
    let (code, said, error) = copy(&[&from, &earlier, "--abandon", "--yes"]);
    assert_eq!(code, Some(0), "{error}");
    let stays = format!("the copy is abandoned, but {from} stays frozen: ");
    assert!(said.starts_with(&stays) && said.contains(&format!("it moves to {to}")), "{said}");
    assert_eq!(copy(&[&from, &to, "--abandon", "--yes"]).0, Some(0));
    append(&mut shop.connect(), "o-1", &["OrderShipped"]);
}

#[test]
fn the_target_of_a_copy_whose_source_is_lost_is_opened() {
    let shop = shop();
    let (from, to) = (url(&shop), elsewhere(&shop));
    assert_eq!(copy(&[&from, &to, "--rebuild", "mails"]).0, Some(4));
    let (code, said) = failure(&to, &["unfreeze", "--yes"]);
    assert!(code == 1 && said.contains("--source-is-lost"), "{said}");
    assert_eq!(answer(&to, &["unfreeze", "--source-is-lost", "--yes"]), "the log is open\n");
    assert_eq!(answer(&to, &["verify"]), answer(&from, &["verify"]));
}

/// A third one is the one of the environment.
#[test]
fn what_a_copy_says_to_type_names_the_database() {
    let (shop, other, third) = (shop(), shop(), shop());
    let (from, to, third) = (url(&shop), elsewhere(&shop), url(&third));
    assert_eq!(copy(&[&from, &to, "--rebuild", "mails"]).0, Some(4));
    let (code, said) = failure(&third, &["copy", &url(&other), &to, "--rebuild", "mails"]);
    let typed = format!("diesel-event-store --database-url {to} import --discard --yes\n");
    assert!(code == 1 && said.contains(&typed), "{said}");

    assert_eq!(copy(&[&from, &to, "--rebuild", "mails", "--yes"]).0, Some(0));
    let (code, said) = failure(&third, &["copy", &from, &elsewhere(&other), "--rebuild", "mails"]);
    let typed = format!("diesel-event-store --database-url {from} unfreeze --target-is-lost\n");
    assert!(code == 1 && said.contains(&typed), "{said}");
}
