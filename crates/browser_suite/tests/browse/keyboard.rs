//! Everything can be reached without a mouse.

use thirtyfour::prelude::*;

use super::chromium::Screen;
use super::visit::{Visit, visit};

async fn press(person: &Visit, key: Key) {
    person.driver.action_chain().send_keys(key).perform().await.unwrap();
}

/// Presses Tab until one of these has the focus.
async fn tab_to(person: &Visit, css: &str) {
    for _ in 0..60 {
        press(person, Key::Tab).await;
        let script = "return document.activeElement.matches(arguments[0])";
        let found = person.driver.execute(script, vec![css.into()]).await.unwrap();
        if found.convert::<bool>().unwrap() {
            return;
        }
    }
    panic!("{css} is not reached");
}

#[test]
fn an_event_is_found_with_keys_alone() {
    visit(Screen::Large, async |person| {
        press(person, Key::Tab).await;
        let skip = person.driver.active_element().await.unwrap();
        assert_eq!(skip.text().await.unwrap(), "Skip to the content");
        assert!(skip.rect().await.unwrap().height > 20.0, "it is seen when it has the focus");
        press(person, Key::Enter).await;

        tab_to(person, "input[name=types]").await;
        person.driver.action_chain().send_keys("OrderPaid").send_keys(Key::Enter).perform().await.unwrap();
        person.wait_for(".events li", "OrderPaid").await;
        assert!(person.driver.current_url().await.unwrap().as_str().contains("types=OrderPaid"));
        tab_to(person, ".events a.stream").await;
        press(person, Key::Enter).await;
        person.wait_for("h1", "Order/o/20#1").await;

        tab_to(person, ".changes summary").await;
        press(person, Key::Enter).await;
        assert!(person.read(".changes").await.contains("before:\n\"placed\"\nnow:\n\"paid\""));
        tab_to(person, "a.type").await;
        press(person, Key::Enter).await;
        person.wait_for("h1", "OrderPlaced").await;
        tab_to(person, "nav a[href='/projections']").await;
        let outline = person.driver.active_element().await.unwrap().css_value("outline-style").await.unwrap();
        assert_eq!(outline, "solid", "the focus is seen");
        press(person, Key::Enter).await;
        tab_to(person, "details summary").await;
        press(person, Key::Space).await;
        assert!(person.read("details").await.contains("the mail server is away"));
        person.assert_no_complaint().await;
    });
}
