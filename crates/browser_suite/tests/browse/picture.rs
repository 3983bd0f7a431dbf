//! The picture in the documentation is what a person sees: `PICTURE=docs/browser.png` writes it.

use std::{env, fs};

use super::chromium::Screen;
use super::visit::visit;

#[test]
fn a_picture_is_taken() {
    visit(Screen::Large, async |person| {
        person.follow("Order/o/20#1").await;
        person.click(".changes summary").await;
        let picture = person.driver.screenshot_as_png().await.unwrap();
        assert!(picture.starts_with(b"\x89PNG"));
        if let Some(path) = env::var_os("PICTURE") {
            fs::write(path, picture).unwrap();
        }
    });
}
