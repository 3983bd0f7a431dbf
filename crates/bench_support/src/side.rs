use std::time::Instant;

use crate::rounds::Timed;

/// One of the compared ways to do an operation.
pub struct Side {
    pub name: String,
    open: Box<dyn FnMut() -> Operation>,
}

pub type Operation = Box<dyn FnMut()>;

impl Side {
    /// `open` opens the connection that the operation uses while it is kept.
    pub fn new<O: FnMut() + 'static>(name: impl Into<String>, mut open: impl FnMut() -> O + 'static) -> Self {
        Self { name: name.into(), open: Box::new(move || Box::new(open())) }
    }

    pub fn open(&mut self) -> Operation {
        (self.open)()
    }
}

impl Timed for Side {
    /// The duration of a block of operations on a warm connection, in seconds.
    ///
    /// No other connection is open meanwhile. As libsqlite3-sys builds SQLite, all connections of a process
    /// share the memory for their pages, and of two that do the same work one could take 1.4 times as long as
    /// the other.
    fn time_block(&mut self, block: u32) -> f64 {
        let mut operation = self.open();
        (0..block).for_each(|_| operation());
        let begun = Instant::now();
        (0..block).for_each(|_| operation());
        begun.elapsed().as_secs_f64()
    }
}
