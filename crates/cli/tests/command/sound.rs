//! What is wrong with a store is told, and what to type.

use test_support::execute;

use super::run::{answer, failure, run, text};
use super::shop::{append, shop, url};

#[test]
fn what_does_not_agree_is_found_and_repaired() {
    let shop = shop();
    assert_eq!(answer(&url(&shop), &["verify"]), "3 events of 2 streams to position 3: all agree\n");
    execute(&mut shop.connect(), "DELETE FROM aggregate_heads WHERE aggregate_id = 'o-2'").unwrap();
    let output = run(&url(&shop), &["verify"]);
    assert_eq!(output.status.code(), Some(3));
    let told = text(&output.stdout);
    assert!(
        told.starts_with("the head of Order/o-2 is missing, and its last event has version 1\n"),
        "{told}"
    );
    assert_eq!(text(&output.stderr), "error: 1 finding\n");

    let (code, said) = failure(&url(&shop), &["repair"]);
    assert_eq!(code, 4);
    assert!(said.contains("no event is changed"), "{said}");
    assert_eq!(answer(&url(&shop), &["repair", "--yes"]), "1 head set\n");
    assert_eq!(answer(&url(&shop), &["repair", "--yes"]), "everything agreed with the events\n");
    assert!(answer(&url(&shop), &["verify", "--json"]).contains(r#""is_sound":true"#));
}

#[test]
fn a_sealed_log_shows_what_was_changed() {
    let empty = test_support::sqlite_file::SqliteFile::migrated();
    assert_eq!(answer(&url(&empty), &["seal"]), "there are no events to be sealed\n");
    let shop = shop();
    let sealed = answer(&url(&shop), &["seal"]);
    assert!(sealed.starts_with("3 events sealed, to position 3\nchain "), "{sealed}");
    let all = "3 events of 2 streams to position 3, 1 seal: all agree\n";
    assert_eq!(answer(&url(&shop), &["verify"]), all);
    let chain = sealed.trim_end().rsplit(' ').next().unwrap();
    assert!(answer(&url(&shop), &["export", "-"]).contains(&format!("\"chain\":\"{chain}\"")));

    let change =
        "DROP TRIGGER events_refuse_update; UPDATE events SET payload = '7' WHERE global_position = 2";
    execute(&mut shop.connect(), change).unwrap();
    let output = run(&url(&shop), &["verify"]);
    assert_eq!(output.status.code(), Some(3));
    let told = text(&output.stdout);
    assert!(told.starts_with("the seal at 3 does not fit: since it was made, something above position 0"));
}

#[test]
fn the_doctor_says_what_to_type() {
    let shop = shop();
    let doctor = || text(&run(&url(&shop), &["doctor"]).stdout);
    assert_eq!(
        doctor(),
        "problem  mails version 1 has parked 1 event\n         \
         type: diesel-event-store projections parked mails --version 1\n"
    );
    append(&mut shop.connect(), "o-3", &["OrderPlaced"]);
    let (code, said) = failure(&url(&shop), &["doctor"]);
    assert_eq!((code, said.as_str()), (3, "error: 2 problems were found\n"));
    assert!(doctor().contains("no worker applies partition 0 of mails version 1, which is 1 behind"));

    execute(&mut shop.connect(), "DELETE FROM aggregate_heads WHERE aggregate_id = 'o-2'").unwrap();
    execute(&mut shop.connect(), "UPDATE sqlite_sequence SET seq = 0 WHERE name = 'events'").unwrap();
    execute(&mut shop.connect(), "DROP TRIGGER events_refuse_delete").unwrap();
    answer(&url(&shop), &["freeze", "a test", "--yes"]);
    let told = doctor();
    for what in [
        "1 stream with a wrong head, of those with the newest events",
        "next position 1 is not above the last event, 4\n         type: diesel-event-store repair",
        "what is recorded can be changed: the trigger events_refuse_delete is missing",
        "the log takes no events: {\"reason\":\"a test\"",
    ] {
        assert!(told.contains(what), "{told}");
    }
}

#[test]
fn a_sound_store_has_no_problem() {
    let shop = test_support::sqlite_file::SqliteFile::migrated();
    assert_eq!(answer(&url(&shop), &["doctor"]), "no problem was found\n");
    append(&mut shop.connect(), "o-1", &["OrderPlaced"]);
    assert_eq!(answer(&url(&shop), &["doctor", "--json"]), "{\"problems\":0}\n");
}

#[test]
fn what_has_no_tables_is_to_be_migrated() {
    let empty = test_support::sqlite_file::SqliteFile::absent();
    empty.connect();
    let told = text(&run(&url(&empty), &["doctor"]).stdout);
    assert!(told.contains("tables are missing") && told.contains("diesel-event-store migrate"), "{told}");
}
