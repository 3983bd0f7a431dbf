use std::ops::DerefMut;

use super::handler::{AsyncBatchHandler, AsyncHandler, AwaitedHandler};
use super::link::Awaited;
use crate::model::event::RecordedEvent;
use crate::projection::catch_up::{CaughtUp, catch_up};
use crate::projection::definition::Projection;
use crate::projection::error::ProjectionError;
use crate::projection::handler::HandlerError;
use crate::projection::kind::Awaits;
use crate::storage::asynchronous::connection::AsyncEventConnection;

/// A [`Projection`] whose handler is awaited, on connections of diesel-async's.
///
/// It has the options of every projection, and promises the same. It is kept in the same tables under the same
/// leases, so workers of both kinds can share one: its name, version and handler then have to mean the same.
pub type AsyncProjection<C> = Projection<C, Awaits>;

impl<C> Projection<C, Awaits> {
    /// A projection whose handler is awaited, and takes one event at a time: an `async fn`, or anything that
    /// implements [`AsyncHandler`]. Otherwise as [`new`](Projection::new).
    ///
    #[cfg_attr(feature = "async-postgres", doc = "```no_run")]
    #[cfg_attr(not(feature = "async-postgres"), doc = "```ignore")]
    /// use diesel::sql_types::Text;
    /// use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
    /// use diesel_event_store::RecordedEvent;
    /// use diesel_event_store::projection::{HandlerError, Projection};
    ///
    /// async fn apply(conn: &mut AsyncPgConnection, event: &RecordedEvent) -> Result<(), HandlerError> {
    ///     let email: String = event.payload()?;
    ///     diesel::sql_query("INSERT INTO users VALUES ($1)").bind::<Text, _>(email).execute(conn).await?;
    ///     Ok(())
    /// }
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut conn = AsyncPgConnection::establish("postgres://localhost/shop").await?;
    /// let users = Projection::awaited("users", 1, apply).event_types(["UserCreated"]);
    /// println!("{} applied", users.catch_up(&mut conn).await?.applied());
    /// # Ok(())
    /// # }
    /// ```
    pub fn awaited(name: impl Into<String>, version: i32, handler: impl AsyncHandler<C>) -> Self {
        Self::with(name.into(), version, AwaitedHandler::of_each(handler))
    }

    /// A projection whose handler is awaited, and takes a batch of events at once. Otherwise as
    /// [`in_batches`](Projection::in_batches).
    ///
    #[cfg_attr(feature = "async-postgres", doc = "```")]
    #[cfg_attr(not(feature = "async-postgres"), doc = "```ignore")]
    /// use diesel_async::AsyncPgConnection;
    /// use diesel_event_store::RecordedEvent;
    /// use diesel_event_store::projection::{AsyncProjection, HandlerError, Projection};
    ///
    /// async fn count(_: &mut AsyncPgConnection, events: &[RecordedEvent]) -> Result<(), HandlerError> {
    ///     println!("{} more", events.len());
    ///     Ok(())
    /// }
    ///
    /// let totals: AsyncProjection<AsyncPgConnection> = Projection::awaited_in_batches("totals", 1, count);
    /// ```
    pub fn awaited_in_batches(
        name: impl Into<String>,
        version: i32,
        handler: impl AsyncBatchHandler<C>,
    ) -> Self {
        Self::with(name.into(), version, AwaitedHandler::of_batches(handler))
    }

    /// The same projection for connections of another type, which lends the one that the handler takes: those
    /// of a pool, for instance.
    ///
    #[cfg_attr(all(feature = "async-postgres", feature = "deadpool"), doc = "```no_run")]
    #[cfg_attr(not(all(feature = "async-postgres", feature = "deadpool")), doc = "```ignore")]
    /// use diesel_async::AsyncPgConnection;
    /// use diesel_async::pooled_connection::deadpool::Pool;
    /// # use diesel_event_store::RecordedEvent;
    /// use diesel_event_store::projection::{HandlerError, Projection};
    ///
    /// # async fn apply(_: &mut AsyncPgConnection, _: &RecordedEvent) -> Result<(), HandlerError> { Ok(()) }
    /// # async fn catch_up(pool: Pool<AsyncPgConnection>) -> Result<(), Box<dyn std::error::Error>> {
    /// let users = Projection::awaited("users", 1, apply).lent_by();
    /// users.catch_up(&mut pool.get().await?).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn lent_by<P: DerefMut<Target = C>>(self) -> Projection<P, Awaits>
    where
        C: 'static,
    {
        self.with_handler(AwaitedHandler::lent_by)
    }

    /// Applies events in the transaction that is open, as the one that [blocks](Projection::apply_inline) does.
    ///
    /// # Errors
    ///
    /// The handler's error. Pass it on, so that the transaction is rolled back.
    ///
    #[cfg_attr(feature = "async-postgres", doc = "```")]
    #[cfg_attr(not(feature = "async-postgres"), doc = "```ignore")]
    /// use diesel_async::{AsyncConnection, AsyncPgConnection};
    /// use diesel_event_store::projection::AsyncProjection;
    /// use diesel_event_store::{AsyncEventStore, Error, ExpectedVersion, NewEvent, StreamId};
    ///
    /// async fn sign_up(
    ///     conn: &mut AsyncPgConnection,
    ///     users: &AsyncProjection<AsyncPgConnection>,
    /// ) -> Result<(), Error> {
    ///     conn.transaction(async |conn| {
    ///         let (alice, created) = (StreamId::new("User", "alice")?, NewEvent::new("UserCreated", &())?);
    ///         let store = AsyncEventStore::new();
    ///         let appended = store.append(conn, &alice, ExpectedVersion::NoStream, &[created]).await?;
    ///         Ok(users.apply_inline(conn, appended.events()).await?)
    ///     })
    ///     .await
    /// }
    /// ```
    pub async fn apply_inline(&self, conn: &mut C, events: &[RecordedEvent]) -> Result<(), HandlerError> {
        let events = self.matching(events);
        if events.is_empty() { Ok(()) } else { self.handler.handle(conn, &events).await }
    }
}

impl<C: AsyncEventConnection> Projection<C, Awaits> {
    /// Applies the events of the log that were not applied yet, and returns, as the one that
    /// [blocks](Projection::catch_up) does, alone and inside a transaction of the application.
    ///
    /// If the future is dropped, each batch has been applied wholly, with its checkpoint, or not at all. A batch
    /// that was under way marks the connection as broken, also inside a transaction of the application, which
    /// then cannot be committed. The partition stays leased until its [lease](Self::lease) has run out.
    ///
    /// # Errors
    ///
    /// [`ProjectionError`]. What was applied before stays applied.
    ///
    #[cfg_attr(feature = "async-sqlite", doc = "```")]
    #[cfg_attr(not(feature = "async-sqlite"), doc = "```ignore")]
    /// use diesel::sqlite::SqliteConnection;
    /// use diesel_async::AsyncConnection;
    /// use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
    /// use diesel_event_store::RecordedEvent;
    /// use diesel_event_store::projection::{HandlerError, Projection};
    ///
    /// type Conn = SyncConnectionWrapper<SqliteConnection>;
    ///
    /// async fn print(_: &mut Conn, event: &RecordedEvent) -> Result<(), HandlerError> {
    ///     println!("{}", event.event_type());
    ///     Ok(())
    /// }
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut conn = Conn::establish(":memory:").await?;
    /// diesel_event_store::async_run_pending_migrations(&mut conn).await?;
    /// assert_eq!(Projection::awaited("printed", 1, print).catch_up(&mut conn).await?.applied(), 0);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn catch_up(&self, conn: &mut C) -> Result<CaughtUp, ProjectionError> {
        catch_up(&mut Awaited::new(conn), self).await
    }
}
