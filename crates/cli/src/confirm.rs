use std::io::{self, IsTerminal, Write};

use crate::failure::{Failure, Result};

/// Says what would happen, and asks on a terminal; elsewhere only `--yes` will do.
pub fn confirm(yes: bool, would: &str) -> Result {
    match yes || agrees(would)? {
        true => Ok(()),
        false => Err(Failure::Unconfirmed(would.to_owned())),
    }
}

/// Asks on a terminal. Elsewhere the answer is no.
pub fn agrees(would: &str) -> io::Result<bool> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    let mut asked = io::stderr();
    write!(asked, "{would}\nGo on? [y/N] ")?;
    asked.flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(answer.trim().eq_ignore_ascii_case("y"))
}
