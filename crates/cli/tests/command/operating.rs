use diesel_event_store::projection;

use super::run::{answer, failure};
use super::shop::{shop, url};

#[test]
fn parked_events_are_told_retried_and_given_up() {
    let shop = shop();
    let parked = answer(&url(&shop), &["projections", "parked", "mails"]);
    assert!(parked.starts_with("2  Order/o-1  Failed  the mail server is away"), "{parked}");
    let (code, said) = failure(&url(&shop), &["projections", "retry", "mails", "--position", "2"]);
    assert_eq!(code, 4);
    assert!(said.contains("the handler of mails version 1 would be given 1 parked event again"), "{said}");
    assert!(!projection::parked(&mut shop.connect(), ("mails", 1)).unwrap()[0].is_requested());
    let retried = answer(&url(&shop), &["projections", "retry", "mails", "--position", "2", "--yes"]);
    assert_eq!(retried, "mails version 1: its worker tries 1 parked event again\n");
    assert!(projection::parked(&mut shop.connect(), ("mails", 1)).unwrap()[0].is_requested());

    let (code, said) = failure(&url(&shop), &["projections", "discard", "mails"]);
    assert_eq!(code, 4);
    assert!(said.contains("would never apply 1 parked event") && said.contains("--yes"), "{said}");
    answer(&url(&shop), &["projections", "discard", "mails", "--yes"]);
    let (code, said) = failure(&url(&shop), &["projections", "retry", "mails", "--position", "9"]);
    assert_eq!((code, said.as_str()), (1, "error: mails version 1 has no parked event at 9\n"));
}

#[test]
fn a_projection_begins_anew_only_if_that_is_confirmed() {
    let shop = shop();
    let (code, said) = failure(&url(&shop), &["projections", "reset", "mails"]);
    assert_eq!(code, 4);
    assert!(said.contains("Its read model is not emptied"), "{said}");
    let position = || projection::status(&mut shop.connect()).unwrap()[0].position().get();
    assert_eq!(position(), 3);
    answer(&url(&shop), &["projections", "reset", "mails", "--yes"]);
    assert_eq!(position(), 0);
    answer(&url(&shop), &["projections", "rewind", "mails", "--to", "now", "--yes"]);
    assert_eq!(position(), 3);
    answer(&url(&shop), &["projections", "rewind", "mails", "--to", "2020-01-01", "--yes"]);
    assert_eq!(position(), 0);
    let (code, said) = failure(&url(&shop), &["projections", "rewind", "mails", "--to", "9", "--yes"]);
    assert_eq!(code, 2);
    assert!(said.contains("--to 9: start_from is 9"), "{said}");
    assert_eq!(failure(&url(&shop), &["projections", "rewind", "mails", "--to", "soon", "--yes"]).0, 2);
    answer(&url(&shop), &["projections", "rewind", "mails", "--to", "2", "--yes"]);
    assert_eq!(position(), 2);
    let listed = answer(&url(&shop), &["projections"]);
    assert!(listed.starts_with("mails v1  2  1 behind, by ") && listed.contains(" s  idle"), "{listed}");
}

#[test]
fn partitions_and_versions_are_changed() {
    let shop = shop();
    let arguments = ["projections", "repartition", "mails", "--partitions", "4"];
    assert_eq!(failure(&url(&shop), &arguments).0, 4);
    let done = answer(&url(&shop), &[&arguments[..], &["--yes"]].concat());
    assert_eq!(done, "mails version 1: will have 4 partitions\n");
    let (code, said) = failure(&url(&shop), &["projections", "resume", "mails"]);
    assert_eq!(code, 4);
    assert!(said.contains("0 failed partitions of mails version 1 would go on"), "{said}");
    let resumed = answer(&url(&shop), &["projections", "resume", "mails", "--yes"]);
    assert!(resumed.contains("0 partitions resumed"), "{resumed}");
    assert_eq!(failure(&url(&shop), &["projections", "promote", "mails"]).0, 4);
    answer(&url(&shop), &["projections", "promote", "mails", "--version", "1", "--yes"]);
    let (code, said) = failure(&url(&shop), &["projections", "reset", "orders", "--yes"]);
    assert_eq!(code, 1);
    assert!(said.contains("there is no projection orders"), "{said}");
}
