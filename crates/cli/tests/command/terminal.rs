use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};

use super::run::command;

/// A terminal in which `script` runs the command, and what it has shown.
pub struct Terminal {
    child: Child,
    shown: Vec<u8>,
}

impl Terminal {
    pub fn of(arguments: &[&str]) -> Self {
        Self::with("", arguments)
    }

    /// With this in its environment: `NAME=value`.
    pub fn with(environment: &str, arguments: &[&str]) -> Self {
        let inside = command(arguments);
        let words: Vec<_> = [inside.get_program()].into_iter().chain(inside.get_args()).collect();
        let words: Vec<_> = words.iter().map(|word| word.to_str().expect("it is UTF-8")).collect();
        let line = format!("{environment} {}", words.join(" "));
        let mut terminal = Command::new("script");
        terminal.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
        terminal.env_remove("DATABASE_URL").env_remove("NO_COLOR").env("TERM", "xterm");
        terminal.stdin(Stdio::piped()).stdout(Stdio::piped());
        Self { child: terminal.spawn().expect("util-linux is there"), shown: Vec::new() }
    }

    /// Until this is shown.
    pub fn wait_for(&mut self, wanted: &str) {
        let mut byte = [0];
        while !String::from_utf8_lossy(&self.shown).contains(wanted) {
            let read = self.child.stdout.as_mut().expect("it is piped").read(&mut byte).unwrap();
            assert!(read > 0, "{}", String::from_utf8_lossy(&self.shown));
            self.shown.extend(byte);
        }
    }

    pub fn type_in(&mut self, keys: &[u8]) {
        self.child.stdin.as_mut().expect("it is piped").write_all(keys).unwrap();
    }

    /// How it ends, and everything that was shown.
    pub fn end(mut self) -> (Option<i32>, String) {
        self.child.stdout.as_mut().expect("it is piped").read_to_end(&mut self.shown).unwrap();
        (self.child.wait().unwrap().code(), String::from_utf8_lossy(&self.shown).into_owned())
    }
}
