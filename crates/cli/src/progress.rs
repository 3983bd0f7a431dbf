use std::io::{self, IsTerminal};

use diesel_event_store::Position;
use indicatif::{ProgressBar, ProgressStyle};

/// A bar on a terminal, which is gone at the end. Nothing elsewhere.
pub struct Progress(ProgressBar);

impl Progress {
    /// So many positions of a log.
    pub fn of_positions(what: &'static str, end: Position, is_quiet: bool) -> Self {
        let positions = end.get().unsigned_abs();
        Self::new(what, positions, "{msg} {wide_bar} {human_pos} of {human_len}  {eta}", is_quiet)
    }

    /// So many bytes of a file.
    pub fn of_bytes(what: &'static str, bytes: u64, is_quiet: bool) -> Self {
        Self::new(what, bytes, "{msg} {wide_bar} {bytes} of {total_bytes}  {eta}", is_quiet)
    }

    fn new(what: &'static str, length: u64, template: &str, is_quiet: bool) -> Self {
        let is_hidden = is_quiet || !io::stderr().is_terminal();
        let bar = if is_hidden { ProgressBar::hidden() } else { ProgressBar::new(length) };
        let style = ProgressStyle::with_template(template).expect("the template is one");
        Self(bar.with_style(style).with_message(what))
    }

    /// A log that grows meanwhile goes beyond what there was.
    pub fn set(&self, done: u64) {
        self.0.set_length(self.0.length().unwrap_or_default().max(done));
        self.0.set_position(done);
    }

    pub fn add(&self, done: u64) {
        self.0.inc(done);
    }

    /// Something else is done from now on.
    pub fn now(&self, what: &'static str) {
        self.0.set_message(what);
    }

    /// Without the bar, so that something can be asked.
    pub fn aside<T>(&self, work: impl FnOnce() -> T) -> T {
        self.0.suspend(work)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
