use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::thread::{self, ThreadId};

use super::block_on::block_on;
use super::error::WriterError;
use super::reply::Receiver;

/// A request that was [sent](super::Request::send) to a [`Writer`](super::Writer): it gives the outcome once
/// the request is committed. A thread can wait for it, and any async runtime can await it.
///
/// The request is carried out even if the ticket is dropped.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::sqlite::{Ticket, Writer};
/// use diesel_event_store::{ExpectedVersion, NewEvent, StreamId};
///
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// # let writer = Writer::new(conn)?;
/// let imported = StreamId::new("Import", 1)?;
/// let tickets = (1..=100)
///     .map(|row| Ok(writer.append(&imported, ExpectedVersion::Any, [NewEvent::new("RowImported", &row)?]).send()))
///     .collect::<Result<Vec<_>, diesel_event_store::Error>>()?;
/// let last = tickets.into_iter().map(Ticket::wait).last().unwrap()?;
/// assert_eq!(last.version(), 100);
/// # Ok(())
/// # }
/// ```
#[must_use = "a ticket says whether the request was committed"]
pub struct Ticket<T, E> {
    reply: Receiver<T, E>,
    writer: ThreadId,
}

impl<T, E: From<WriterError>> Ticket<T, E> {
    pub(super) fn new(reply: Receiver<T, E>, writer: ThreadId) -> Self {
        Self { reply, writer }
    }

    /// Blocks until the request is committed, or has failed. In async code, await the ticket instead.
    ///
    /// # Errors
    ///
    /// Those of the request, and [`WriterError`] in the request's own error type.
    pub fn wait(self) -> Result<T, E> {
        if thread::current().id() == self.writer {
            return Err(WriterError::WaitsForItself.into());
        }
        block_on(self)
    }
}

impl<T, E: From<WriterError>> Future for Ticket<T, E> {
    type Output = Result<T, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(ready!(self.reply.poll(context)).map_err(E::from)?)
    }
}

impl<T, E> fmt::Debug for Ticket<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").finish_non_exhaustive()
    }
}
