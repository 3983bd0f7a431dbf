use std::fs;
use std::io::{self, Write};
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_mangen::Man;

use super::files::of_file;
use crate::arguments::Arguments;
use crate::failure::Result;

/// A page for each command, which names the others.
pub fn pages(folder: &Path) -> Result {
    let write =
        fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(Arguments::command(), folder));
    Ok(write.map_err(|error| of_file(&folder.display().to_string(), &error))?)
}

/// One page with all commands, so that it names no other page.
pub fn page() -> Result {
    let mut command = Arguments::command().disable_help_subcommand(true);
    command.build();
    let (mut page, man) = (Vec::new(), Man::new(command.clone()));
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    within(&command, &mut page)?;
    Ok(io::stdout().write_all(&page)?)
}

/// A section for each command below this one, and below those.
fn within(command: &Command, page: &mut Vec<u8>) -> io::Result<()> {
    for below in command.get_subcommands() {
        let (mut section, man) = (Vec::new(), Man::new(below.clone()));
        man.render_synopsis_section(&mut section)?;
        man.render_description_section(&mut section)?;
        man.render_options_section(&mut section)?;
        let section = String::from_utf8_lossy(&section).replace("\n.SH ", "\n.SS ");
        let name = below.get_display_name().unwrap_or_else(|| below.get_name()).to_uppercase();
        write!(page, ".SH \"{name}\"\n{section}")?;
        within(below, page)?;
    }
    Ok(())
}
