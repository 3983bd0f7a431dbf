//! `browse`, and a client that has opened its address.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use serde_json::Value;
use ureq::http::Response;
use ureq::{Agent, Body};

use super::run::command;

pub struct Browse {
    child: Child,
    /// What to open first.
    pub address: String,
    pub cookie: String,
}

impl Browse {
    pub fn of(url: &str) -> Self {
        let child = command(&["browse", "--json"]).env("DATABASE_URL", url).stdout(Stdio::piped()).spawn();
        let mut child = child.expect("it starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = serde_json::from_str::<Value>(&line).unwrap()["address"].as_str().unwrap().to_owned();
        let opened = agent().get(&address).call().unwrap();
        let cookie = header(&opened, "set-cookie").split(';').next().unwrap().to_owned();
        Self { child, address, cookie }
    }

    /// Such as `127.0.0.1:40123`.
    pub fn host(&self) -> &str {
        self.address.strip_prefix("http://").and_then(|rest| rest.split('/').next()).unwrap()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.host())
    }

    /// With the cookie.
    pub fn get(&self, path: &str) -> Response<Body> {
        agent().get(self.url(path)).header("Cookie", &self.cookie).call().unwrap()
    }

    /// A page that is there.
    pub fn page(&self, path: &str) -> String {
        let mut response = self.get(path);
        let page = text(&mut response);
        assert_eq!(response.status(), 200, "{path}: {page}");
        page
    }
}

impl Drop for Browse {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// It takes every answer as it is, and goes where it is told.
pub fn agent() -> Agent {
    Agent::config_builder().http_status_as_error(false).max_redirects(0).proxy(None).build().into()
}

pub fn header<'a>(response: &'a Response<Body>, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

pub fn text(response: &mut Response<Body>) -> String {
    response.body_mut().read_to_string().unwrap()
}
