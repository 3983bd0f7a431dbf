//! Who is answered. Other programs on this computer can reach the port, and so can the pages that its browser
//! shows: what they send lacks the cookie, comes from another site, or was meant for another host.

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::site::Site;
use super::token::Token;
use crate::failure::Result;

/// Where a browser shows the token, and is given the cookie.
pub const DOOR: &str = "/open";

/// With every answer. Scripts, styles and pictures are files of ours, and nothing else may be loaded, sent or
/// shown within another page.
const PROTECTION: [(HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

pub struct Guard {
    /// In the address that is opened first.
    pub token: Token,
    /// In the cookie. Browsers send it to all ports of the host, so it is not the token.
    session: Token,
    /// As browsers write it: the address and the port.
    pub host: String,
    /// Cookies are shared by all ports, so it is named by ours.
    cookie: String,
}

impl Guard {
    pub fn new(port: u16) -> Result<Self> {
        let (host, cookie) = (format!("127.0.0.1:{port}"), format!("diesel_event_store_{port}"));
        Ok(Self { token: Token::random()?, session: Token::random()?, host, cookie })
    }

    /// What a browser that has shown the token is to keep.
    pub fn set_cookie(&self) -> String {
        format!("{}={}; Path=/; HttpOnly; SameSite=Strict", self.cookie, self.session.as_str())
    }

    fn refusal(&self, request: &Request) -> Option<(StatusCode, &'static str)> {
        let headers = request.headers();
        if request.method() != Method::GET {
            Some((StatusCode::METHOD_NOT_ALLOWED, "it can only be looked at: GET"))
        } else if !is_one(headers, header::HOST, &self.host) {
            Some((StatusCode::MISDIRECTED_REQUEST, "this is another host"))
        } else if is_of_another_site(headers) {
            Some((StatusCode::FORBIDDEN, "another site has sent you here; open the address yourself"))
        } else if request.uri().path() != DOOR && !self.knows(headers) {
            Some((StatusCode::FORBIDDEN, "open the address that the command has printed"))
        } else {
            None
        }
    }

    fn knows(&self, headers: &HeaderMap) -> bool {
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs =
            cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.any(|(name, value)| name == self.cookie && self.session.is(value))
    }
}

pub async fn guard(State(site): State<Site>, request: Request, next: Next) -> Response {
    let mut response = match site.guard.refusal(&request) {
        Some((status, why)) => (status, format!("{why}\n")).into_response(),
        None => next.run(request).await,
    };
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET"));
    }
    for (name, value) in PROTECTION {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn is_one(headers: &HeaderMap, name: HeaderName, expected: &str) -> bool {
    let mut values = headers.get_all(name).iter();
    values.next().is_some_and(|value| value.as_bytes() == expected.as_bytes()) && values.next().is_none()
}

/// Browsers say who has asked: our own page, or the person (`none`). Other programs say nothing. Another port
/// of this computer is the same site, and no page of ours.
fn is_of_another_site(headers: &HeaderMap) -> bool {
    let from = headers.get_all("sec-fetch-site");
    from.iter().any(|from| !["same-origin", "none"].map(str::as_bytes).contains(&from.as_bytes()))
}
