use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::failure::{Failure, Result};
use crate::interrupt;
use crate::line::legible;

/// How long a question stays when somebody interrupts it.
const PAUSE: Duration = Duration::from_millis(50);

/// Says what would happen, and asks on a terminal; elsewhere only `--yes` will do.
pub fn confirm(yes: bool, would: &str) -> Result {
    match yes || agrees(would)? {
        true => Ok(()),
        false => Err(Failure::Unconfirmed(would.to_owned())),
    }
}

/// Asks on a terminal. Elsewhere the answer is no, and so it is after Ctrl-C.
pub fn agrees(would: &str) -> io::Result<bool> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    let mut asked = io::stderr();
    write!(asked, "{}\nGo on? [y/N] ", legible(would))?;
    asked.flush()?;
    let answer = unless_interrupted(&answers())?;
    Ok(answer.trim().eq_ignore_ascii_case("y") && !interrupt::is_wanted())
}

/// Another thread reads it, because a signal does not end that: it begins again by itself.
fn answers() -> Receiver<io::Result<String>> {
    let (answered, answers) = mpsc::channel();
    thread::spawn(move || {
        let mut answer = String::new();
        let read = io::stdin().read_line(&mut answer);
        let _ = answered.send(read.map(|_| answer)); // nobody waits for it any more after Ctrl-C
    });
    answers
}

fn unless_interrupted(answers: &Receiver<io::Result<String>>) -> io::Result<String> {
    while !interrupt::is_wanted() {
        match answers.recv_timeout(PAUSE) {
            Ok(answer) => return answer,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    Ok(String::new())
}
