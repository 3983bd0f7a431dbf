//! Names of any kind, and payloads of any size.

use diesel_event_store::NewEvent;

use super::chromium::Screen;
use super::shop::append;
use super::small::width;
use super::visit::{Visit, visit};

/// What addresses and HTML are made of, spaces that count, and what is written from right to left.
const STRANGE: &str = "#1/2?a=b&c%41 +\"'<b>\\  ünï 漢字 שלום \u{202e}end";

/// As long as names may be.
fn long() -> String {
    "wide".repeat(63)
}

fn happened(payload: String) -> NewEvent {
    NewEvent::from_json("Happened", payload).unwrap()
}

/// What a person would read, with all spaces.
async fn text_of(person: &Visit, css: &str) -> String {
    let script = "return document.querySelector(arguments[0]).innerText";
    person.driver.execute(script, vec![css.into()]).await.unwrap().convert().unwrap()
}

#[test]
fn names_of_any_kind_lead_to_their_pages() {
    visit(Screen::Large, async |person| {
        for name in [STRANGE.to_owned(), long()] {
            let event = happened("{}".to_owned()).correlation_id(name.as_str());
            append(&mut person.shop.connect(), &name, &name, &[event]);
            person.open("/").await;
            let full = format!("{name}/{name}");
            assert_eq!(text_of(person, ".events a.stream").await, full);
            person.leave_by(".events a.stream").await;
            assert_eq!(text_of(person, "h1").await, full);
            person.leave_by(".timeline a.type").await;
            assert_eq!(person.heading().await, "Happened");
            person.leave_by("a[href^='/trace?']").await;
            assert_eq!(text_of(person, "h1").await, format!("What belongs to {name}"));
            assert_eq!(person.count(".tree li").await, 1);
            person.leave_by("main a[href^='/?correlation=']").await;
            assert_eq!(person.count(".events li").await, 1);

            person.follow("Streams").await;
            person.fill("type", &name).await;
            person.fill("prefix", &name).await;
            person.leave_by("form button").await;
            assert_eq!(text_of(person, ".events a.stream").await, full);
        }
        person.assert_no_complaint().await;
    });
}

/// Lists within lists within lists, as deep as they may be.
fn nested(items: usize) -> String {
    format!("{}0{}{}", "[".repeat(120), ",0".repeat(items), "]".repeat(120))
}

#[test]
fn what_is_long_or_deep_fits_a_small_screen_and_is_told() {
    visit(Screen::Small, async |person| {
        let name = long();
        let fields: String = (0..300).map(|number| format!(",\"{name} {number}\":0")).collect();
        let events = [nested(9), format!("{{\"a\":0{fields}}}"), nested(20_000)].map(happened);
        append(&mut person.shop.connect(), &name, &name, &events);
        person.open("/").await;
        assert_eq!(width(person).await, 320);
        person.leave_by(".events a.stream").await;
        person.click(".changes summary").await;
        assert_eq!(width(person).await, 320);
        assert_eq!(person.count("li:first-child .changes dt").await, 200);
        let newest = person.read(".timeline li").await;
        for told in ["What changed: 20,302", "These are the first 200.", "This is its beginning."] {
            assert!(newest.contains(told), "{told} is not told");
        }

        person.leave_by("li:first-child .cut a").await;
        assert!(person.read("main .cut").await.contains("The file has all of it"));
        assert_eq!(width(person).await, 320);
        person.assert_no_complaint().await;
    });
}
