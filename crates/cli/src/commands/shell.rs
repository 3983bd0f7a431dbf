use std::io::{self, Write};

use clap::CommandFactory;

use crate::arguments::Arguments;
use crate::failure::Result;

/// Into memory first: clap's generator does not expect a pipe that is closed.
pub fn completions(shell: clap_complete::Shell) -> Result {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "diesel-event-store", &mut script);
    Ok(io::stdout().write_all(&script)?)
}
