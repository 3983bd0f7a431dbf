use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::block_on::block_on;
use super::error::WriterError;
use super::job::Job;
use super::queue::Refused;
use super::thread::WriterThread;
use super::ticket::Ticket;

/// A request to a [`Writer`](super::Writer). Nothing happens before you wait for it, await it or send it.
///
/// | | if the queue is full | the outcome |
/// |---|---|---|
/// | [`wait`](Self::wait) | blocks until there is room | blocks until it is committed |
/// | `.await` | waits without blocking | waits without blocking, in any async runtime |
/// | [`send`](Self::send) | blocks until there is room | a [`Ticket`], for later |
/// | [`try_send`](Self::try_send) | returns [`QueueFull`] | a [`Ticket`], for later |
///
/// Requests of one caller are written in the order in which they were sent. A request that is dropped before
/// it was sent is not written; one that is dropped afterwards is.
#[must_use = "a request does nothing before it is waited for, awaited or sent"]
pub struct Request<T, E> {
    thread: Arc<WriterThread>,
    unsent: Option<Box<dyn Job>>,
    ticket: Ticket<T, E>,
}

impl<T, E: From<WriterError>> Request<T, E> {
    pub(super) fn new(thread: Arc<WriterThread>, unsent: Option<Box<dyn Job>>, ticket: Ticket<T, E>) -> Self {
        Self { thread, unsent, ticket }
    }

    /// Blocks until the request is committed or has failed. In async code, await the request instead.
    ///
    /// # Errors
    ///
    /// Those of the request, and [`WriterError`] in the request's error type.
    pub fn wait(self) -> Result<T, E> {
        self.send().wait()
    }

    /// Sends the request and does not wait for the outcome. If the queue is full, it blocks until there is
    /// room; in async code, use [`try_send`](Self::try_send) or await the request.
    pub fn send(mut self) -> Ticket<T, E> {
        if self.thread.is_current() {
            return self.send_from_inside();
        }
        block_on(poll_fn(|context| self.poll_send(context)));
        self.ticket
    }

    /// Sends the request if there is room in the queue.
    ///
    /// # Errors
    ///
    /// [`QueueFull`], with the request in it.
    ///
    /// ```
    /// use diesel::prelude::*;
    /// use diesel_event_store::sqlite::Writer;
    /// use diesel_event_store::{ExpectedVersion, NewEvent, StreamId};
    ///
    /// # fn main() -> Result<(), diesel_event_store::Error> {
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # diesel_event_store::run_pending_migrations(&mut conn)?;
    /// # let writer = Writer::new(conn)?;
    /// let alice = StreamId::new("User", "alice")?;
    /// let request = writer.append(&alice, ExpectedVersion::Any, [NewEvent::new("UserSeen", &())?]);
    /// match request.try_send() {
    ///     Ok(ticket) => assert_eq!(ticket.wait()?.version(), 1),
    ///     Err(full) => println!("not sent: {full}"), // and `full.request` can be sent again
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_send(mut self) -> Result<Ticket<T, E>, QueueFull<T, E>> {
        let Some(job) = self.unsent.take() else { return Ok(self.ticket) };
        match self.thread.queue().try_push(job) {
            Ok(()) => Ok(self.ticket),
            Err(Refused::Closed(job)) => {
                job.failed(WriterError::Closed);
                Ok(self.ticket)
            }
            Err(Refused::Full(job)) => {
                self.unsent = Some(job);
                Err(QueueFull { request: self })
            }
        }
    }

    /// From a closure that the writer runs: the queue gets no more room before the closure has ended.
    fn send_from_inside(self) -> Ticket<T, E> {
        self.try_send().unwrap_or_else(|QueueFull { mut request }| {
            request.unsent.take().into_iter().for_each(|job| job.failed(WriterError::WaitsForItself));
            request.ticket
        })
    }

    fn poll_send(&mut self, context: &Context<'_>) -> Poll<()> {
        if let Err(job) = ready!(self.thread.queue().poll_push(&mut self.unsent, context)) {
            job.failed(WriterError::Closed);
        }
        Poll::Ready(())
    }
}

impl<T, E: From<WriterError>> Future for Request<T, E> {
    type Output = Result<T, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        ready!(self.poll_send(context));
        Pin::new(&mut self.ticket).poll(context)
    }
}

impl<T, E> fmt::Debug for Request<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("sent", &self.unsent.is_none()).finish_non_exhaustive()
    }
}

/// The queue of the [`Writer`](super::Writer) is full. Nothing was sent; the request can be sent again.
#[derive(Debug, thiserror::Error)]
#[error("the writer's queue is full, nothing was sent; send the request again later, or wait for room")]
#[non_exhaustive]
pub struct QueueFull<T, E> {
    /// The request that was not sent.
    pub request: Request<T, E>,
}
