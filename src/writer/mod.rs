//! Group commit on SQLite: a thread owns the connection and writes the requests that have queued up in one
//! transaction.

mod append;
mod block_on;
mod closure;
mod error;
mod group;
mod handle;
mod job;
mod options;
mod queue;
mod reply;
mod request;
mod savepoint;
mod thread;
mod ticket;

pub use error::{WriteError, WriterError};
pub use handle::Writer;
pub use options::WriterOptions;
pub use request::{QueueFull, Request};
pub use ticket::Ticket;
