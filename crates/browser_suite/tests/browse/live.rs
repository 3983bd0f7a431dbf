//! What comes by itself.

use diesel_event_store::NewEvent;

use super::chromium::Screen;
use super::shop::append;
use super::visit::visit;

fn cancelled() -> NewEvent {
    NewEvent::new("OrderCancelled", &()).unwrap()
}

#[test]
fn new_events_appear() {
    visit(Screen::Large, async |person| {
        append(&mut person.shop.connect(), "Order", "o-21", &[cancelled()]);
        person.wait_for(".news a", "1 new").await;
        append(&mut person.shop.connect(), "Order", "o-22", &[cancelled(), cancelled()]);
        person.wait_for(".news a", "3 new").await;
        assert!(
            !person.read(".events").await.contains("OrderCancelled"),
            "the list does not move while it is read"
        );
        person.leave_by(".news a").await;
        person.wait_for(".events li", "OrderCancelled").await;
        person.assert_no_complaint().await;
        person.browse.end();
        person.wait_for(".news", "the command does not answer").await;
    });
}

#[test]
fn only_new_events_that_fit_are_told() {
    visit(Screen::Large, async |person| {
        person.open("/?types=OrderCancelled").await;
        append(&mut person.shop.connect(), "Order", "o-21", &[NewEvent::new("OrderPlaced", &()).unwrap()]);
        append(&mut person.shop.connect(), "Order", "o-22", &[cancelled()]);
        person.wait_for(".news a", "1 new").await;
        person.leave_by(".news a").await;
        assert_eq!(person.count(".events li").await, 1);
        person.assert_no_complaint().await;
    });
}

#[test]
fn a_projection_that_falls_behind_is_seen_and_so_is_an_end() {
    visit(Screen::Large, async |person| {
        person.open("/projections").await;
        person.click("details summary").await;
        append(&mut person.shop.connect(), "Order", "o-21", &[cancelled(), cancelled()]);
        person.wait_for(".projection", "2 behind").await;
        assert!(person.read("details").await.contains("the mail server"), "what was opened stays open");
        person.first(".plot svg").await;
        person.assert_no_complaint().await;
        person.browse.end();
        person.wait_for(".stale", "it cannot be asked again").await;
    });
}
