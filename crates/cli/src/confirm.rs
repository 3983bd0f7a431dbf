use std::io::{self, IsTerminal, Write};

use crate::failure::{Failure, Result};

/// Says what would happen, and asks on a terminal; elsewhere only `--yes` will do.
pub fn confirm(yes: bool, would: &str) -> Result {
    if yes {
        return Ok(());
    }
    let unconfirmed = || Failure::Unconfirmed(would.to_owned());
    if !io::stdin().is_terminal() {
        return Err(unconfirmed());
    }
    let mut asked = io::stderr();
    write!(asked, "{would}\nGo on? [y/N] ")?;
    asked.flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    if answer.trim().eq_ignore_ascii_case("y") { Ok(()) } else { Err(unconfirmed()) }
}
