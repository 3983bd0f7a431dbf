use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use diesel::sqlite::SqliteConnection;

use super::error::WriterError;
use super::job::Job;
use super::reply::{Reply, Sender};

/// The application's own work. It can run only once.
pub(super) struct Closure<W, T, E> {
    work: Option<W>,
    reply: Option<Reply<T, E>>,
    caller: Sender<T, E>,
}

impl<W, T, E> Closure<W, T, E> {
    pub(super) fn new(work: W, caller: Sender<T, E>) -> Self {
        Self { work: Some(work), reply: None, caller }
    }
}

impl<W, T, E> Job for Closure<W, T, E>
where
    W: FnOnce(&mut SqliteConnection) -> Result<T, E> + Send,
    T: Send,
    E: Send,
{
    fn run(&mut self, conn: &mut SqliteConnection) -> bool {
        let work = self.work.take().expect("a job is run once");
        // The caller puts the connection in order, and what the closure owned is dropped.
        let reply = catch_unwind(AssertUnwindSafe(|| work(conn))).map_err(panicked);
        let kept = matches!(reply, Ok(Ok(_)));
        self.reply = Some(reply);
        kept
    }

    fn reject(&mut self, error: WriterError) {
        self.reply = Some(Err(error));
    }

    fn committed(self: Box<Self>) {
        self.caller.send(self.reply.expect("a job that was run"));
    }

    fn failed(self: Box<Self>, error: WriterError) {
        self.caller.send(Err(error));
    }
}

fn panicked(panic: Box<dyn Any + Send>) -> WriterError {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    let message = text.or_else(|| panic.downcast_ref::<String>().cloned());
    WriterError::Panicked { message: message.unwrap_or_else(|| "no message".into()) }
}
