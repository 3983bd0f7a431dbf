//! Without JavaScript.

use super::chromium::Screen;
use super::visit::visit;

#[test]
fn every_page_works_without_scripts() {
    visit(Screen::WithoutScripts, async |person| {
        assert!(person.read(".events li").await.contains("2026-03-01 13:02:00.000 UTC"), "no script has run");
        person.fill("types", "OrderPaid").await;
        person.leave_by("form button").await;
        assert_eq!(person.count(".events li").await, 20);
        person.follow("Order/o/20#1").await;
        person.click(".changes summary").await;
        assert!(person.read(".changes").await.contains("before:\n\"placed\"\nnow:\n\"paid\""));
        person.follow("OrderPaid").await;
        assert!(person.read("#payload").await.contains("\"status\": \"paid\""));
        let copy = person.driver.find(thirtyfour::By::Css("button.copy")).await.unwrap();
        assert!(!copy.is_displayed().await.unwrap(), "what needs a script is not shown");
        person.follow("checkout/20").await;
        assert_eq!(person.count(".tree li").await, 3);
        person.follow("Projections").await;
        assert!(person.read(".projection").await.contains("0 behind"));
        person.follow("Health").await;
        assert!(person.read("main").await.contains("has parked 1 event"));
        person.follow("Streams").await;
        person.fill("type", "Parcel").await;
        person.leave_by("form button").await;
        assert_eq!(person.count(".events li").await, 20);
        person.follow("Log").await;
        person.follow("Older").await;
        assert_eq!(person.count(".events li").await, 10);
        person.assert_no_complaint().await;
    });
}
