//! Pages of others, in a browser that knows the cookie.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use super::chromium::Screen;
use super::visit::visit;

/// A page at another port of this computer, which browsers take for the same site. It answers until the test ends.
fn stranger(html: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, length) = (stream.unwrap(), html.len());
            let _ = stream.read(&mut [0; 4096]); // whatever it asks for
            let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}\r\n");
            let _ = write!(stream, "{head}Connection: close\r\n\r\n{html}"); // it may have gone
        }
    });
    url
}

#[test]
fn another_page_gets_nothing() {
    visit(Screen::Large, async |person| {
        let (log, script) = (person.browse.url("/"), person.browse.url("/assets/browse.js"));
        let html = format!(
            "<a href='{log}'>look</a><iframe src='{log}'></iframe><p id='told'></p>\
             <script src='{script}' onerror='told.textContent += \"no script. \"'></script>\
             <script>fetch('{log}', {{ credentials: 'include' }}).then((answer) => answer.text()).then(\
             (text) => told.textContent += text, () => told.textContent += 'no answer. ')</script>"
        );
        assert_eq!(person.count(".events li").await, 50, "the person may look");
        person.driver.goto(stranger(html)).await.unwrap();
        person.wait_for("#told", "no script.").await;
        person.wait_for("#told", "no answer.").await;
        person.driver.enter_frame(0).await.unwrap();
        assert_eq!(person.count(".events li").await, 0, "it is shown within no other page");
        person.driver.enter_default_frame().await.unwrap();
        person.follow("look").await;
        person.wait_for("body", "another site has sent you here").await;
        assert_eq!(person.count(".events li").await, 0);
    });
}

#[test]
fn the_address_without_its_token_shows_nothing() {
    visit(Screen::Large, async |person| {
        person.driver.delete_all_cookies().await.unwrap();
        person.open("/").await;
        assert_eq!(person.read("body").await, "open the address that the command has printed");
        person.open("/open?token=00000000000000000000000000000000").await;
        assert_eq!(person.read("body").await, "this is not the token that the command has printed");
        person.driver.goto(person.browse.address.as_str()).await.unwrap();
        assert_eq!(person.count(".events li").await, 50);
    });
}
