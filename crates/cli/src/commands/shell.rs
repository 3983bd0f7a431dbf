use std::io;

use clap::CommandFactory;

use crate::arguments::Arguments;
use crate::failure::Result;

/// Into memory first: clap's generator does not expect a pipe that is closed.
pub fn completions(shell: clap_complete::Shell) -> Result {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "diesel-event-store", &mut script);
    write(&script)
}

pub fn man() -> Result {
    let mut page = Vec::new();
    clap_mangen::Man::new(Arguments::command()).render(&mut page)?;
    write(&page)
}

fn write(bytes: &[u8]) -> Result {
    use io::Write;
    let mut out = io::stdout();
    out.write_all(bytes)?;
    Ok(out.flush()?)
}
