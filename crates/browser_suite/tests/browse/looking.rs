//! What a person sees.

use super::chromium::Screen;
use super::visit::visit;

#[test]
fn an_order_is_followed_through_the_pages() {
    visit(Screen::Large, async |person| {
        assert_eq!(person.driver.title().await.unwrap().split(" · ").next(), Some("Log"));
        assert!(
            !person.driver.current_url().await.unwrap().as_str().contains("token"),
            "it is in no other address"
        );
        let newest = person.read(".events li").await;
        for text in
            ["ParcelSent", "Parcel/p-20", "position 60", "10:02:00", r#"{"order":"o/20#1","weight":320}"#]
        {
            assert!(newest.contains(text), "{text} is not in {newest}");
        }

        person.follow("Order/o/20#1").await;
        assert_eq!(person.heading().await, "Order/o/20#1");
        person.click(".changes summary").await;
        let changes = person.read(".changes").await;
        assert!(
            changes.contains("status") && changes.contains("before:\n\"placed\"\nnow:\n\"paid\""),
            "{changes}"
        );

        person.follow("OrderPaid").await;
        assert_eq!(person.heading().await, "OrderPaid");
        let (page, payload) = (person.read("main").await, person.read("#payload").await);
        assert!(page.contains("Mar 1, 2026, 10:01:00"), "the time in Tokyo: {page}");
        assert!(payload.starts_with("{\n  \"status\": \"paid\",\n"), "{payload}");
        let around =
            ["Its cause", "OrderPlaced", "Its effects", "ParcelSent", "Around it", "Before it in the stream"];
        assert!(around.map(|text| page.find(text).expect(text)).is_sorted(), "{page}");
        person.click("button[data-copy=payload]").await;
        person.wait_for(".copied", "opied").await;

        person.follow("checkout/20").await;
        let tree = person.read(".tree").await;
        let order = ["OrderPlaced", "OrderPaid", "ParcelSent"];
        assert!(order.map(|text| tree.find(text).expect(text)).is_sorted(), "{tree}");
        assert_eq!(person.count(".tree .level-3.lane-1").await, 1);
        person.assert_no_complaint().await;
    });
}

#[test]
fn projections_and_health_are_seen() {
    visit(Screen::Large, async |person| {
        person.follow("Projections").await;
        let mails = person.read(".projection").await;
        assert!(mails.contains("mails version 1") && mails.contains("0 behind"), "{mails}");
        person.click("details summary").await;
        let parked = person.read("details").await;
        assert!(parked.contains("position 8") && parked.contains("the mail server is away"), "{parked}");
        person.follow("position 8").await;
        assert_eq!(person.heading().await, "OrderPaid");
        person.click("main details summary").await;
        assert_eq!(person.read("main details pre").await, "\"by the web shop\"");

        person.follow("Health").await;
        let health = person.read("main").await;
        assert!(
            health.contains("mails version 1 has parked 1 event") && health.contains("SQLite"),
            "{health}"
        );
        person.assert_no_complaint().await;
    });
}

#[test]
fn the_log_is_narrowed_and_paged() {
    visit(Screen::Large, async |person| {
        assert_eq!(person.count(".events li").await, 50);
        person.follow("Older").await;
        assert_eq!(person.count(".events li").await, 10);
        person.follow("Newest").await;
        person.fill("types", "OrderPaid, ParcelSent").await;
        person.fill("correlation", "checkout/7").await;
        person.leave_by("form button").await;
        assert_eq!(person.count(".events li").await, 2);
        assert!(person.read(".events").await.contains("Order/o/7#1"));
        person.follow("Show everything").await;
        person.follow("Streams").await;
        person.fill("type", "Order").await;
        person.fill("prefix", "o/1").await;
        person.leave_by("form button").await;
        assert_eq!(person.count(".events li").await, 11);
        person.assert_no_complaint().await;
    });
}

#[test]
fn it_is_dark_where_that_is_wanted() {
    visit(Screen::Dark, async |person| {
        let colour = person.first("body").await.css_value("background-color").await.unwrap();
        assert_eq!(colour, "rgba(15, 20, 25, 1)");
        person.assert_no_complaint().await;
    });
}
