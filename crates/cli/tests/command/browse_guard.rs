//! Who gets nothing from `browse`: programs without the token, pages of other sites, other hosts.

use std::net::TcpStream;

use ureq::Body;
use ureq::http::Response;

use super::browser::{Browse, agent, header, text};
use super::shop::{shop, url};

const PATHS: [&str; 12] = [
    "/",
    "/streams",
    "/stream?type=Order&id=o-1",
    "/event/0198c2f0-0000-7000-8000-000000000000",
    "/event/0198c2f0-0000-7000-8000-000000000000/payload",
    "/trace?correlation=o-1",
    "/projections",
    "/health",
    "/live?after=0",
    "/assets/browse.js",
    "/assets/nothing",
    "/nothing",
];

/// Refused with a status, and nothing of the shop is told.
fn assert_refused(mut response: Response<Body>, status: u16, what: &str) {
    let told = text(&mut response);
    assert_eq!(response.status(), status, "{what}: {told}");
    assert!(!told.contains("Order") && !told.contains("shop.db"), "{what}: {told}");
    assert_eq!(header(&response, "set-cookie"), "", "{what}");
}

#[test]
fn the_address_sets_a_cookie_and_leads_to_the_log() {
    let shop = shop();
    let browse = Browse::of(&url(&shop));
    let opened = agent().get(&browse.address).call().unwrap();
    assert_eq!((opened.status().as_u16(), header(&opened, "location")), (303, "/"));
    let (token, port) =
        (browse.address.rsplit('=').next().unwrap(), browse.host().rsplit(':').next().unwrap());
    let session = browse.cookie.strip_prefix(&format!("diesel_event_store_{port}=")).unwrap();
    let expected = format!("{}; Path=/; HttpOnly; SameSite=Strict", browse.cookie);
    assert_eq!((token.len(), session.len(), header(&opened, "set-cookie")), (32, 32, expected.as_str()));
    assert_ne!(session, token, "other ports are sent the cookie, and no token");
    assert!(browse.page("/").contains("OrderPaid"));
    let again = Browse::of(&url(&shop));
    assert_ne!(again.address.rsplit('=').next(), Some(token), "each has a token of its own");
}

#[test]
fn without_the_token_nothing_is_shown() {
    let shop = shop();
    let browse = Browse::of(&url(&shop));
    for path in PATHS {
        assert_refused(agent().get(browse.url(path)).call().unwrap(), 403, path);
    }
    let (name, session) = browse.cookie.split_once('=').unwrap();
    let token = &browse.address[browse.address.find("token=").unwrap() + 6..];
    let zeros = "0".repeat(32);
    let wrong = [&zeros, "", &session[1..], token].map(|value| format!("{name}={value}"));
    for cookie in wrong.into_iter().chain([format!("other={session}"), session.to_owned()]) {
        let response = agent().get(browse.url("/")).header("Cookie", &cookie).call().unwrap();
        assert_refused(response, 403, &cookie);
    }
    assert_refused(
        agent().get(browse.url(&format!("/open?token={zeros}"))).call().unwrap(),
        403,
        "a wrong token",
    );
    for path in
        ["/open".to_owned(), format!("/open?token={session}"), format!("/open?token={token}&token={token}")]
    {
        assert_refused(agent().get(browse.url(&path)).call().unwrap(), 403, &path);
    }
}

#[test]
fn another_host_gets_nothing() {
    let shop = shop();
    let browse = Browse::of(&url(&shop));
    let port = browse.host().rsplit(':').next().unwrap();
    for host in [
        format!("localhost:{port}"),
        format!("shop.example:{port}"),
        "127.0.0.1".into(),
        "127.0.0.1:1".into(),
    ] {
        for address in [&browse.address, &browse.url("/")] {
            let request = agent().get(address).header("Host", &host).header("Cookie", &browse.cookie);
            assert_refused(request.call().unwrap(), 421, &host);
        }
    }
    let elsewhere = format!("127.0.0.2:{port}");
    assert!(TcpStream::connect(elsewhere).is_err(), "it listens at 127.0.0.1 alone");
}

#[test]
fn another_site_gets_nothing() {
    let shop = shop();
    let browse = Browse::of(&url(&shop));
    let from = |path: &str, site: &str| {
        let request = agent().get(browse.url(path)).header("Cookie", &browse.cookie);
        request.header("Sec-Fetch-Site", site).call().unwrap()
    };
    // Another port of this computer is the same site.
    for site in ["cross-site", "same-site", "", "none, cross-site"] {
        for path in PATHS {
            assert_refused(from(path, site), 403, &format!("{site} {path}"));
        }
    }
    for site in ["same-origin", "none"] {
        assert_eq!(from("/", site).status(), 200, "{site}");
    }
    let opened = agent().get(&browse.address).header("Sec-Fetch-Site", "cross-site").call().unwrap();
    assert_refused(opened, 403, "the address itself");
}

#[test]
fn it_can_only_be_looked_at() {
    let shop = shop();
    let browse = Browse::of(&url(&shop));
    for path in PATHS {
        let url = browse.url(path);
        for request in [agent().post(&url), agent().put(&url)] {
            let response = request.header("Cookie", &browse.cookie).send_empty().unwrap();
            assert_eq!((response.status().as_u16(), header(&response, "allow")), (405, "GET"), "{path}");
        }
        let bare = [agent().delete(&url), agent().head(&url), agent().options(&url)];
        for request in bare {
            let response = request.header("Cookie", &browse.cookie).call().unwrap();
            assert_eq!((response.status().as_u16(), header(&response, "allow")), (405, "GET"), "{path}");
        }
    }
}

#[test]
fn every_answer_forbids_what_is_not_ours() {
    let shop = shop();
    let browse = Browse::of(&url(&shop));
    let mut answers: Vec<(&str, Response<Body>)> =
        PATHS.iter().map(|&path| (path, browse.get(path))).collect();
    answers.push(("the address", agent().get(&browse.address).call().unwrap()));
    answers.push(("no cookie", agent().get(browse.url("/")).call().unwrap()));
    answers.push(("post", agent().post(browse.url("/")).send_empty().unwrap()));
    answers.push(("a wrong query", browse.get("/?before=x")));
    for (what, answer) in answers {
        let policy = header(&answer, "content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"),
            "{what}: {policy}"
        );
        assert!(!policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"), "{what}: {policy}");
        let others =
            ["x-content-type-options", "referrer-policy", "cache-control", "cross-origin-resource-policy"];
        let values = others.map(|name| header(&answer, name));
        assert_eq!(values, ["nosniff", "no-referrer", "no-store", "same-origin"], "{what}");
    }
}
