use super::awaited::Awaited;
use crate::aggregate::{AggregateRef, ExecuteError, LoadError};
use crate::decision::{Aggregate, Decide, Executed, Loaded};
use crate::storage::asynchronous::connection::AsyncEventConnection;
use crate::store::asynchronous::AsyncEventStore;

impl AsyncEventStore {
    /// The aggregate of this type with this id: see [`EventStore::aggregate`](crate::EventStore::aggregate).
    ///
    /// ```
    /// # #[cfg(feature = "derive")]
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use diesel_async::{AsyncConnection, sync_connection_wrapper::SyncConnectionWrapper};
    /// # let mut conn = SyncConnectionWrapper::<diesel::SqliteConnection>::establish(":memory:").await?;
    /// # diesel_event_store::async_run_pending_migrations(&mut conn).await?;
    /// use std::convert::Infallible;
    ///
    /// use diesel_event_store::{Aggregate, AsyncEventStore, Decide, Event, Evolve};
    ///
    /// #[derive(Event)]
    /// enum AccountEvent {
    ///     #[event(name = "MoneyDeposited")]
    ///     Deposited { cents: i64 },
    /// }
    ///
    /// struct Account {
    ///     cents: i64,
    /// }
    ///
    /// impl Evolve for Account {
    ///     type Event = AccountEvent;
    ///
    ///     fn evolve(self, AccountEvent::Deposited { cents }: AccountEvent) -> Self {
    ///         Self { cents: self.cents + cents }
    ///     }
    /// }
    ///
    /// impl Aggregate for Account {
    ///     const TYPE: &'static str = "Account";
    ///
    ///     fn initial(_id: &str) -> Self {
    ///         Self { cents: 0 }
    ///     }
    /// }
    ///
    /// struct Deposit {
    ///     cents: i64,
    /// }
    ///
    /// impl Decide<Deposit> for Account {
    ///     type Error = Infallible;
    ///
    ///     fn decide(&self, &Deposit { cents }: &Deposit) -> Result<Vec<AccountEvent>, Infallible> {
    ///         Ok(vec![AccountEvent::Deposited { cents }])
    ///     }
    /// }
    ///
    /// let account = AsyncEventStore::new().aggregate::<Account>("a-1");
    /// let done = account.execute(&mut conn, &Deposit { cents: 500 }).await?;
    /// assert_eq!((done.state.cents, done.version), (500, 1));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "derive"))]
    /// # fn main() {}
    /// ```
    pub fn aggregate<A: Aggregate>(&self, id: impl ToString) -> AggregateRef<A, AsyncEventStore> {
        AggregateRef::new(self.store, id)
    }
}

/// On connections that are awaited. The futures are `Send` if the aggregate and its events are. Events are
/// decoded, folded and decided in the task that awaits.
impl<A: Aggregate> AggregateRef<A, AsyncEventStore> {
    /// The state of the aggregate: as the [one that blocks](AggregateRef::load).
    ///
    /// # Errors
    ///
    /// As the one that blocks.
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// async fn version_of<A: Aggregate>(
    ///     conn: &mut impl AsyncEventConnection,
    ///     id: &str,
    /// ) -> Result<i64, LoadError> {
    ///     Ok(AsyncEventStore::new().aggregate::<A>(id).load(conn).await?.version)
    /// }
    /// ```
    pub async fn load<C: AsyncEventConnection + ?Sized>(self, conn: &mut C) -> Result<Loaded<A>, LoadError> {
        self.read(&mut Awaited(conn)).await
    }

    /// Loads the aggregate, has it decide on a command, and appends what it has decided: as the [one that
    /// blocks](AggregateRef::execute). The pauses between attempts need the timer of the tokio runtime
    /// (`enable_time`, `enable_all`).
    ///
    /// **If the future is dropped** the command has been executed wholly or not at all; that its snapshot is
    /// missing changes nothing. With an [idempotency key](Self::idempotency_key) the same command can simply
    /// be repeated. Inside a transaction of the application, a connection on which a savepoint was open
    /// refuses everything from then on.
    ///
    /// # Errors
    ///
    /// As the one that blocks.
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// async fn ship<A: Decide<&'static str>>(
    ///     conn: &mut impl AsyncEventConnection,
    /// ) -> Result<i64, ExecuteError<A::Error>> {
    ///     let order = AsyncEventStore::new().aggregate::<A>("o-1").correlation_id("request-4711");
    ///     Ok(order.execute(conn, &"ship").await?.version)
    /// }
    /// ```
    pub async fn execute<Command, C>(
        self,
        conn: &mut C,
        command: &Command,
    ) -> Result<Executed<A>, ExecuteError<<A as Decide<Command>>::Error>>
    where
        Command: ?Sized,
        C: AsyncEventConnection + ?Sized,
        A: Decide<Command>,
    {
        self.update(conn, |state| state.decide(command)).await
    }

    /// The same as [`execute`](#method.execute-1), with a closure that decides. It may be called several
    /// times.
    ///
    /// # Errors
    ///
    /// As the one that blocks.
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// # use std::convert::Infallible;
    /// async fn record<A: Aggregate>(
    ///     conn: &mut impl AsyncEventConnection,
    ///     happened: fn() -> A::Event,
    /// ) -> Result<i64, ExecuteError<Infallible>> {
    ///     let order = AsyncEventStore::new().aggregate::<A>("o-1");
    ///     Ok(order.update(conn, |_| Ok(vec![happened()])).await?.version)
    /// }
    /// ```
    pub async fn update<E, C: AsyncEventConnection + ?Sized>(
        self,
        conn: &mut C,
        decide: impl FnMut(&A) -> Result<Vec<A::Event>, E>,
    ) -> Result<Executed<A>, ExecuteError<E>> {
        self.run(&mut Awaited(conn), decide).await
    }
}
