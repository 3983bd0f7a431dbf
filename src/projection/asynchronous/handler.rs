use std::ops::DerefMut;
use std::pin::Pin;

use super::unwind::caught;
use crate::model::event::RecordedEvent;
use crate::projection::handler::HandlerError;

/// What an application does with one event, on a connection `C` of diesel-async's: for
/// [`Projection::awaited`](super::super::Projection::awaited).
///
/// An `async fn` of these arguments is one, and so is what implements the trait, with whatever it needs beside
/// the connection. It is a trait because an async closure that borrows cannot be shown to be `Send`.
///
/// The handler is lent the connection inside a transaction, under the same rules as one that
/// [blocks](super::super::Projection): write on that connection, and neither commit nor roll back. What it
/// awaits elsewhere, the connection's locks wait for. A call that blocks, or computes for long, keeps other
/// tasks of the runtime waiting.
///
/// A panic is a failure like any other. A handler's future can be dropped wherever it waits, when the call
/// that runs it is dropped; the database then rolls back what it has written.
///
#[cfg_attr(feature = "async-postgres", doc = "```")]
#[cfg_attr(not(feature = "async-postgres"), doc = "```ignore")]
/// use diesel::sql_types::Text;
/// use diesel_async::{AsyncPgConnection, RunQueryDsl};
/// use diesel_event_store::RecordedEvent;
/// use diesel_event_store::projection::{AsyncHandler, AsyncProjection, HandlerError, Projection};
///
/// struct Users {
///     domain: String,
/// }
///
/// impl AsyncHandler<AsyncPgConnection> for Users {
///     async fn handle(&self, conn: &mut AsyncPgConnection, event: &RecordedEvent) -> Result<(), HandlerError> {
///         let email: String = event.payload()?;
///         if email.ends_with(&self.domain) {
///             let insert = diesel::sql_query("INSERT INTO users VALUES ($1)").bind::<Text, _>(email);
///             insert.execute(conn).await?;
///         }
///         Ok(())
///     }
/// }
///
/// let handler = Users { domain: "@example.com".to_owned() };
/// let users: AsyncProjection<AsyncPgConnection> = Projection::awaited("users", 1, handler);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not handle events on a connection `{C}`",
    note = "it can be an `async fn` that takes `&mut {C}` and `&RecordedEvent`, or implement `AsyncHandler<{C}>`"
)]
pub trait AsyncHandler<C>: Send + Sync + 'static {
    /// Applies the event.
    fn handle(
        &self,
        conn: &mut C,
        event: &RecordedEvent,
    ) -> impl Future<Output = Result<(), HandlerError>> + Send;
}

/// What an application does with a batch of events, on a connection `C` of diesel-async's: an `async fn`, or
/// what implements the trait. For [`Projection::awaited_in_batches`](super::super::Projection::awaited_in_batches).
pub trait AsyncBatchHandler<C>: Send + Sync + 'static {
    /// Applies the events, which are in the order of the log.
    fn handle(
        &self,
        conn: &mut C,
        events: &[RecordedEvent],
    ) -> impl Future<Output = Result<(), HandlerError>> + Send;
}

/// A function that returns a future, which borrows the arguments.
pub trait Handle<'c, 'e, C: 'c, E: ?Sized + 'e>: Fn(&'c mut C, &'e E) -> Self::Handling {
    type Handling: Future<Output = Result<(), HandlerError>> + Send;
}

impl<'c, 'e, C: 'c, E: ?Sized + 'e, F, H> Handle<'c, 'e, C, E> for F
where
    F: Fn(&'c mut C, &'e E) -> H,
    H: Future<Output = Result<(), HandlerError>> + Send,
{
    type Handling = H;
}

impl<C: Send + 'static, F> AsyncHandler<C> for F
where
    F: for<'c, 'e> Handle<'c, 'e, C, RecordedEvent> + Send + Sync + 'static,
{
    fn handle(
        &self,
        conn: &mut C,
        event: &RecordedEvent,
    ) -> impl Future<Output = Result<(), HandlerError>> + Send {
        self(conn, event)
    }
}

impl<C: Send + 'static, F> AsyncBatchHandler<C> for F
where
    F: for<'c, 'e> Handle<'c, 'e, C, [RecordedEvent]> + Send + Sync + 'static,
{
    fn handle(
        &self,
        conn: &mut C,
        events: &[RecordedEvent],
    ) -> impl Future<Output = Result<(), HandlerError>> + Send {
        self(conn, events)
    }
}

type Handling<'h> = Pin<Box<dyn Future<Output = Result<(), HandlerError>> + Send + 'h>>;

/// A handler of whatever type.
trait Boxed<C, E: ?Sized>: Send + Sync {
    fn handle<'h>(&'h self, conn: &'h mut C, events: &'h E) -> Handling<'h>;
}

struct OfEach<H>(H);

impl<C, H: AsyncHandler<C>> Boxed<C, RecordedEvent> for OfEach<H> {
    fn handle<'h>(&'h self, conn: &'h mut C, event: &'h RecordedEvent) -> Handling<'h> {
        Box::pin(self.0.handle(conn, event))
    }
}

struct OfBatches<H>(H);

impl<C, H: AsyncBatchHandler<C>> Boxed<C, [RecordedEvent]> for OfBatches<H> {
    fn handle<'h>(&'h self, conn: &'h mut C, events: &'h [RecordedEvent]) -> Handling<'h> {
        Box::pin(self.0.handle(conn, events))
    }
}

/// For connections that lend another.
struct Lent<C, E: ?Sized>(Box<dyn Boxed<C, E>>);

impl<P: DerefMut<Target = C>, C, E: ?Sized> Boxed<P, E> for Lent<C, E> {
    fn handle<'h>(&'h self, conn: &'h mut P, events: &'h E) -> Handling<'h> {
        self.0.handle(&mut **conn, events)
    }
}

/// The handler of a projection whose handler is awaited.
pub struct AwaitedHandler<C>(Takes<C>);

enum Takes<C> {
    Each(Box<dyn Boxed<C, RecordedEvent>>),
    Batch(Box<dyn Boxed<C, [RecordedEvent]>>),
}

impl<C> AwaitedHandler<C> {
    pub(super) fn of_each(handler: impl AsyncHandler<C>) -> Self {
        Self(Takes::Each(Box::new(OfEach(handler))))
    }

    pub(super) fn of_batches(handler: impl AsyncBatchHandler<C>) -> Self {
        Self(Takes::Batch(Box::new(OfBatches(handler))))
    }

    /// An error of a handler that takes one event at a time says which event it was.
    pub(super) async fn handle(&self, conn: &mut C, events: &[RecordedEvent]) -> Result<(), HandlerError> {
        match &self.0 {
            Takes::Each(handler) => {
                for event in events {
                    let handled = guarded(async { handler.handle(conn, event).await }).await;
                    handled.map_err(|error| error.at(event.position()))?;
                }
                Ok(())
            }
            Takes::Batch(handler) => guarded(async { handler.handle(conn, events).await }).await,
        }
    }

    pub(super) fn lent_by<P>(self) -> AwaitedHandler<P>
    where
        C: 'static,
        P: DerefMut<Target = C>,
    {
        AwaitedHandler(match self.0 {
            Takes::Each(handler) => Takes::Each(Box::new(Lent(handler))),
            Takes::Batch(handler) => Takes::Batch(Box::new(Lent(handler))),
        })
    }
}

/// A panic is a failure like any other: the caller rolls back what was done.
async fn guarded(handling: impl Future<Output = Result<(), HandlerError>>) -> Result<(), HandlerError> {
    let tried_out = async { handling.await.inspect_err(HandlerError::try_out) };
    caught(tried_out).await.unwrap_or_else(|panic| Err(HandlerError::panicked(&*panic)))
}
