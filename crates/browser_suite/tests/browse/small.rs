//! A screen of 320 pixels.

use super::chromium::Screen;
use super::visit::{Visit, visit};

/// Of all there is, which is more than the window's if one has to scroll.
pub async fn width(person: &Visit) -> i64 {
    let script = "return Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)";
    person.driver.execute(script, Vec::new()).await.unwrap().convert().unwrap()
}

#[test]
fn no_page_is_wider_than_the_screen() {
    visit(Screen::Small, async |person| {
        let window = person.driver.execute("return window.innerWidth", Vec::new()).await.unwrap();
        assert_eq!(window.convert::<i64>().unwrap(), 320);
        let event = person.first(".events a.type").await.attr("href").await.unwrap().unwrap();
        let paths = [
            "/",
            "/?types=OrderPaid&correlation=checkout%2F7",
            "/streams?type=Order",
            "/stream?type=Order&id=o%2F20%231",
            &event,
            "/trace?correlation=checkout%2F20",
            "/projections",
            "/health",
            "/nothing",
        ];
        for path in paths {
            person.open(path).await;
            for details in person.driver.find_all(thirtyfour::By::Css("details summary")).await.unwrap() {
                details.click().await.unwrap();
            }
            assert_eq!(width(person).await, 320, "{path}");
            assert!(person.read("main").await.len() > 20, "{path} shows something");
        }
    });
}
