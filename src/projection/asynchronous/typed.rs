use std::marker::PhantomData;

use super::handler::AsyncHandler;
use crate::event::Event;
use crate::model::event::RecordedEvent;
use crate::projection::definition::Projection;
use crate::projection::handler::HandlerError;
use crate::projection::kind::Awaits;
use crate::projection::typed::{parts, reading};

/// What an application does with one [typed event](Event), on a connection `C` of diesel-async's: an `async
/// fn`, or what implements the trait. For [`Projection::awaited_typed`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not handle events `{E}` on a connection `{C}`",
    note = "it can be an `async fn` that takes `&mut {C}`, `{E}` and `&RecordedEvent`, or implement \
            `AsyncTypedHandler<{C}, {E}>`"
)]
pub trait AsyncTypedHandler<C, E>: Send + Sync + 'static {
    /// Applies the event. `recorded` has its position, id and metadata.
    fn handle(
        &self,
        conn: &mut C,
        event: E,
        recorded: &RecordedEvent,
    ) -> impl Future<Output = Result<(), HandlerError>> + Send;
}

/// A function that returns a future, which borrows the connection and the recorded event.
pub trait HandleTyped<'c, 'e, C: 'c, E>: Fn(&'c mut C, E, &'e RecordedEvent) -> Self::Handling {
    type Handling: Future<Output = Result<(), HandlerError>> + Send;
}

impl<'c, 'e, C: 'c, E, F, H> HandleTyped<'c, 'e, C, E> for F
where
    F: Fn(&'c mut C, E, &'e RecordedEvent) -> H,
    H: Future<Output = Result<(), HandlerError>> + Send,
{
    type Handling = H;
}

impl<C: Send + 'static, E, F> AsyncTypedHandler<C, E> for F
where
    F: for<'c, 'e> HandleTyped<'c, 'e, C, E> + Send + Sync + 'static,
{
    fn handle(
        &self,
        conn: &mut C,
        event: E,
        recorded: &RecordedEvent,
    ) -> impl Future<Output = Result<(), HandlerError>> + Send {
        self(conn, event, recorded)
    }
}

/// Decodes each event for a handler of typed ones.
struct Decoding<E, H> {
    handler: H,
    events: PhantomData<fn() -> E>,
}

impl<C, E, H> AsyncHandler<C> for Decoding<E, H>
where
    C: Send,
    E: Event + Send + 'static,
    H: AsyncTypedHandler<C, E>,
{
    async fn handle(&self, conn: &mut C, recorded: &RecordedEvent) -> Result<(), HandlerError> {
        for event in parts(E::decode(recorded)?) {
            self.handler.handle(conn, event, recorded).await?;
        }
        Ok(())
    }
}

impl<C: Send> Projection<C, Awaits> {
    /// A projection whose handler is awaited, and takes one [typed event](Event) at a time. Otherwise as
    /// [`typed`](Projection::typed): which events are read, and what is done about those that cannot be.
    ///
    #[cfg_attr(all(feature = "async-postgres", feature = "derive"), doc = "```")]
    #[cfg_attr(not(all(feature = "async-postgres", feature = "derive")), doc = "```ignore")]
    /// use diesel::sql_types::{BigInt, Text};
    /// use diesel_async::{AsyncPgConnection, RunQueryDsl};
    /// use diesel_event_store::projection::{HandlerError, Projection};
    /// use diesel_event_store::{Event, RecordedEvent};
    ///
    /// #[derive(Event)]
    /// enum OrderEvent {
    ///     #[event(name = "OrderPlaced")]
    ///     Placed { cents: i64 },
    ///     #[event(name = "OrderCancelled")]
    ///     Cancelled,
    /// }
    ///
    /// async fn add_up(
    ///     conn: &mut AsyncPgConnection,
    ///     event: OrderEvent,
    ///     recorded: &RecordedEvent,
    /// ) -> Result<(), HandlerError> {
    ///     let change = match event {
    ///         OrderEvent::Placed { cents } => diesel::sql_query("INSERT INTO totals VALUES ($1, $2)")
    ///             .bind::<Text, _>(recorded.aggregate_id())
    ///             .bind::<BigInt, _>(cents)
    ///             .execute(conn),
    ///         OrderEvent::Cancelled => diesel::sql_query("DELETE FROM totals WHERE id = $1")
    ///             .bind::<Text, _>(recorded.aggregate_id())
    ///             .execute(conn),
    ///     };
    ///     change.await?;
    ///     Ok(())
    /// }
    ///
    /// let totals = Projection::awaited_typed("totals", 1, add_up).partitions(4);
    /// ```
    pub fn awaited_typed<E>(
        name: impl Into<String>,
        version: i32,
        handler: impl AsyncTypedHandler<C, E>,
    ) -> Self
    where
        E: Event + Send + 'static,
    {
        reading::<E, _, _>(Self::awaited(name, version, Decoding { handler, events: PhantomData }))
    }
}
