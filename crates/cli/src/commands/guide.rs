//! What a person decides while a log moves.

use std::error::Error;
use std::io;
use std::process::Command;
use std::thread;
use std::time::Duration;

use diesel_event_store::transfer::{Copied, CopyControl, Next};

use super::copy::Places;
use crate::arguments::Copying;
use crate::confirm::agrees;
use crate::interrupt;
use crate::output::{counted, number};
use crate::progress::Progress;

/// How long `--follow` waits at the end of the log.
const PAUSE: Duration = Duration::from_millis(300);

pub struct Guide<'a> {
    pub places: &'a Places<'a>,
    pub copying: &'a Copying,
    pub progress: Progress,
}

impl CopyControl for Guide<'_> {
    fn caught_up(&mut self, so_far: &Copied) -> Next {
        self.tell(so_far);
        if self.copying.follow {
            self.progress.now("following");
            thread::sleep(PAUSE);
        }
        match () {
            () if interrupt::is_wanted() => Next::Stop,
            () if self.copying.follow => Next::Follow,
            () if self.copying.patience.yes || self.agrees(so_far) => Next::Switch,
            () => Next::Stop,
        }
    }

    fn goes_on(&mut self, so_far: &Copied) -> bool {
        self.tell(so_far);
        !interrupt::is_wanted()
    }

    /// Whoever follows has not been asked whether to switch.
    fn resumes_switch(&mut self) -> bool {
        !self.copying.follow
    }

    fn move_read_models(&mut self) -> Result<(), Box<dyn Error + Send + Sync>> {
        let Some(command) = &self.copying.run else { return Ok(()) };
        let (from, to) = (self.places.from, self.places.to);
        let mut shell = shell(command);
        // Answers are answers of this command.
        shell.env("COPY_FROM", from).env("COPY_TO", to).stdout(io::stderr());
        match self.progress.aside(|| shell.status())? {
            status if status.success() => Ok(()),
            status => Err(format!("{command} has ended with {status}").into()),
        }
    }
}

impl Guide<'_> {
    fn tell(&self, so_far: &Copied) {
        self.progress.set(so_far.last_position().get().unsigned_abs());
    }

    fn agrees(&self, so_far: &Copied) -> bool {
        let (events, end) = (counted(so_far.events(), "event"), number(so_far.last_position().get()));
        let would = format!("{events} copied, to position {end}; {}", self.places.would_switch());
        self.progress.aside(|| agrees(&would)).unwrap_or(false)
    }
}

fn shell(command: &str) -> Command {
    let (shell, option) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let mut shell = Command::new(shell);
    shell.args([option, command]);
    shell
}
