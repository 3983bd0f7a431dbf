//! The command, as it is started.

use std::env;
use std::fs::File;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Without what the environment of the tests says.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_diesel-event-store"));
    command.args(arguments).env_remove("DATABASE_URL").current_dir(env!("CARGO_TARGET_TMPDIR"));
    command.stdin(Stdio::null());
    command
}

/// What it answers if it succeeds.
pub fn answer(url: &str, arguments: &[&str]) -> String {
    let output = run(url, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// The code with which it ends if it fails, and what it says.
pub fn failure(url: &str, arguments: &[&str]) -> (i32, String) {
    let output = run(url, arguments);
    assert!(!output.status.success(), "{arguments:?}: {}", text(&output.stdout));
    (output.status.code().expect("it was not killed"), text(&output.stderr))
}

pub fn run(url: &str, arguments: &[&str]) -> Output {
    command(arguments).env("DATABASE_URL", url).output().expect("it starts")
}

/// With a file as its standard input.
pub fn fed(url: &str, arguments: &[&str], file: &Path) -> Output {
    let file = File::open(file).expect("the file is there");
    command(arguments).env("DATABASE_URL", url).stdin(file).output().expect("it starts")
}

/// How often a test kills the command: as often as `KILLS` says, if that is set.
pub fn wanted_kills(usually: u32) -> u32 {
    env::var("KILLS").map_or(usually, |kills| kills.parse().expect("KILLS is a number"))
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("it speaks UTF-8")
}
