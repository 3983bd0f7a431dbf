//! What the doctor says, and what becomes of it once somebody has done it.

use std::env;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::run::{run, text};

/// The problems, each with its advice.
pub fn told(url: &str) -> Vec<(String, String)> {
    let output = run(url, &["doctor", "--json"]);
    assert!(matches!(output.status.code(), Some(0 | 3)), "{}", text(&output.stderr));
    let lines = text(&output.stdout);
    let objects = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let word = |object: &Value, name: &str| object[name].as_str().unwrap_or_default().to_owned();
    let problems = objects.filter(|object| object["problem"].is_string());
    problems.map(|object| (word(&object, "problem"), word(&object, "advice"))).collect()
}

/// The advice about the one problem whose text has this in it.
pub fn advice(url: &str, what: &str) -> String {
    let told = told(url);
    let mut fitting = told.iter().filter(|(problem, _)| problem.contains(what));
    let Some((_, advice)) = fitting.next() else { panic!("nothing about {what} in {told:?}") };
    advice.clone()
}

/// The problem is found; its advice is pasted; the problem is gone.
pub fn mends(url: &str, what: &str) {
    paste(url, &advice(url, what));
    let left = told(url);
    assert!(!left.iter().any(|(problem, _)| problem.contains(what)), "{left:?}");
}

/// Into a shell, or into the database's own client.
pub fn paste(url: &str, advice: &str) {
    match advice.split_once(": ") {
        Some(("type", command)) => in_a_shell(url, command),
        Some(("SQL", statements)) => in_a_client(url, statements),
        _ => panic!("this cannot be pasted: {advice}"),
    }
}

fn in_a_shell(url: &str, command: &str) {
    let program = Path::new(env!("CARGO_BIN_EXE_diesel-event-store")).parent().unwrap().display().to_string();
    let path = format!("{program}:{}", env::var("PATH").unwrap());
    // On a terminal it would ask.
    let command = match command {
        command if command.contains(" --version ") => command.replacen(" --version ", " --yes --version ", 1),
        command if command.ends_with("repair") => format!("{command} --yes"),
        command => command.to_owned(),
    };
    let mut shell = Command::new("sh");
    shell.args(["-c", &command]).env("PATH", path).env("DATABASE_URL", url).stdin(Stdio::null());
    let output = shell.output().unwrap();
    assert!(output.status.success(), "{command}: {}", text(&output.stderr));
}

/// As if it was typed there.
fn in_a_client(url: &str, statements: &str) {
    let mut client =
        client(url).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    client.stdin.take().unwrap().write_all(statements.as_bytes()).unwrap();
    let output = client.wait_with_output().unwrap();
    assert!(output.status.success(), "{statements}: {}", text(&output.stderr));
}

fn client(url: &str) -> Command {
    match url.split_once("://") {
        Some(("postgres", _)) => {
            let mut client = Command::new("psql");
            client.args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", url]);
            client
        }
        Some((_, place)) => {
            let (user, place) = place.split_once('@').unwrap();
            let (address, database) = place.split_once('/').unwrap();
            let (host, port) = address.split_once(':').unwrap();
            let mut client = Command::new("mariadb");
            let option = |name: &str, value: &str| format!("--{name}={value}");
            client.args(["--no-defaults".to_owned(), option("host", host), option("port", port)]);
            client.args([option("user", user), database.to_owned()]);
            client
        }
        None => {
            let mut client = Command::new("sqlite3");
            client.args(["-bail", url]);
            client
        }
    }
}
