//! A log is frozen and opened, if that is confirmed.

use diesel_event_store::EventStore;

use super::run::{answer, failure};
use super::shop::{append, shop, url};

#[test]
fn a_log_is_frozen_and_opened() {
    let shop = shop();
    let freeze = ["freeze", "it moves to postgres://db/shop"];
    let (code, said) = failure(&url(&shop), &freeze);
    assert_eq!(code, 4);
    assert!(said.contains("would be refused from then on") && said.contains("--yes"), "{said}");
    assert!(EventStore::new().log_closed(&mut shop.connect()).unwrap().is_none());

    let done = answer(&url(&shop), &[&freeze[..], &["--yes"]].concat());
    assert_eq!(done, "the log is frozen; to open it: diesel-event-store unfreeze\n");
    assert!(std::panic::catch_unwind(|| append(&mut shop.connect(), "o-1", &["OrderPaid"])).is_err());
    let status = answer(&url(&shop), &["status"]);
    assert!(status.contains("frozen") && status.contains("it moves to postgres://db/shop"), "{status}");
    let again = answer(&url(&shop), &["freeze", "another reason", "--yes"]);
    assert!(again.starts_with("the log was frozen already: ") && again.contains("it moves to"), "{again}");

    let (code, said) = failure(&url(&shop), &["unfreeze"]);
    assert_eq!(code, 4);
    assert!(said.contains("would begin again"), "{said}");
    assert_eq!(answer(&url(&shop), &["unfreeze", "--yes"]), "the log is open\n");
    append(&mut shop.connect(), "o-1", &["OrderPaid"]);
    assert_eq!(answer(&url(&shop), &["unfreeze", "--yes"]), "the log was open already\n");
}

#[test]
fn a_reason_that_cannot_be_kept_is_wrong_usage() {
    let (code, said) = failure(&url(&shop()), &["freeze", "", "--yes"]);
    assert_eq!((code, said.as_str()), (2, "error: reason is empty\n"));
}

#[test]
fn a_log_that_may_have_moved_is_opened_only_if_that_is_said() {
    let shop = shop();
    answer(&url(&shop), &["freeze", "it moves to postgres://db/shop", "--yes"]);
    test_support::execute(&mut shop.connect(), "DELETE FROM event_log").unwrap();
    answer(&url(&shop), &["repair", "--yes"]);
    let (code, said) = failure(&url(&shop), &["unfreeze", "--yes"]);
    assert!(code == 1 && said.contains("--target-is-lost"), "{said}");
    assert_eq!(answer(&url(&shop), &["unfreeze", "--target-is-lost", "--yes"]), "the log is open\n");
    append(&mut shop.connect(), "o-1", &["OrderPaid"]);
}
