use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::json;
use thirtyfour::{ChromeCapabilities, ChromiumLikeCapabilities, DesiredCapabilities, LoggingPrefsLogLevel};

/// What a person looks with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Screen {
    Large,
    /// 320 pixels wide.
    Small,
    Dark,
    WithoutScripts,
}

/// Debian's `chromedriver`, at a port of its own.
pub struct ChromeDriver {
    child: Child,
    pub url: String,
    /// It is kept, because what it says has to go somewhere.
    _lines: Lines<BufReader<ChildStdout>>,
}

impl ChromeDriver {
    /// The person lives in Tokyo, so that local time is not UTC.
    pub fn start() -> Self {
        let mut command = Command::new("chromedriver");
        let child = command.arg("--port=0").env("TZ", "Asia/Tokyo").stdout(Stdio::piped()).spawn();
        let mut child = child.expect("chromedriver is in Debian's package chromium-driver");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.find_map(|line| {
            let line = line.unwrap();
            let (_, port) = line.split_once("started successfully on port ")?;
            Some(port.trim_end_matches('.').to_owned())
        });
        let url = format!("http://127.0.0.1:{}", port.expect("it says at which port it listens"));
        Self { child, url, _lines: lines }
    }
}

impl Drop for ChromeDriver {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

pub fn capabilities(screen: Screen) -> ChromeCapabilities {
    let mut chromium = DesiredCapabilities::chrome();
    // Without a sandbox, for which root is refused, and without /dev/shm, which is small in containers.
    for argument in ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--lang=en-US"] {
        chromium.add_arg(argument).unwrap();
    }
    chromium.add_arg("--window-size=900,760").unwrap();
    chromium.set_browser_log_level(LoggingPrefsLogLevel::All).unwrap();
    match screen {
        Screen::Large => {}
        Screen::Small => {
            let phone = json!({ "deviceMetrics": { "width": 320, "height": 640, "pixelRatio": 1.0 } });
            chromium.add_experimental_option("mobileEmulation", phone).unwrap();
        }
        Screen::Dark => chromium.add_arg("--force-dark-mode").unwrap(),
        Screen::WithoutScripts => {
            let blocked = json!({ "profile.managed_default_content_settings.javascript": 2 });
            chromium.add_experimental_option("prefs", blocked).unwrap();
        }
    }
    chromium
}
