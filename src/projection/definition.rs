use std::time::Duration;

use super::handler::{Handler, HandlerError};
use super::policy::{OnFailure, Policies, Retry};
use crate::model::event::RecordedEvent;
use crate::model::filter::EventFilter;
use crate::model::invalid::{InvalidInput, Problem, check_name};
use crate::model::log::LogQuery;
use crate::model::position::Position;
use crate::model::projection_id::ProjectionId;

/// The most partitions a projection can have.
pub const MAX_PARTITIONS: i32 = 1024;

/// The most events that one batch may have.
const MAX_BATCH_SIZE: usize = 100_000;

/// The shortest lease. Below it, the pauses of a busy machine would look like deaths.
const SHORTEST_LEASE: Duration = Duration::from_millis(100);
const LONGEST_LEASE: Duration = Duration::from_secs(24 * 60 * 60);

/// A read model in the making: which events it is made of, and what is done with each.
///
/// The handler is lent a connection, with a transaction open in which the checkpoint will be moved, too. So in the same database
/// each event is applied exactly once: write on that connection, and neither commit nor roll back. A handler that acts outside
/// the database (mails, brokers) is called at least once for each event; pass on the event's id, by which the other side can
/// tell a repetition.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::projection::Projection;
/// use diesel_event_store::{Error, EventStore, ExpectedVersion, NewEvent, StreamId};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut conn = SqliteConnection::establish(":memory:")?;
/// diesel_event_store::run_pending_migrations(&mut conn)?;
/// diesel::sql_query("CREATE TABLE users (email TEXT NOT NULL)").execute(&mut conn)?;
///
/// let users = Projection::new("users", 1, |conn: &mut SqliteConnection, event| {
///     let email: String = event.payload()?;
///     diesel::sql_query("INSERT INTO users VALUES (?)").bind::<diesel::sql_types::Text, _>(email).execute(conn)?;
///     Ok(())
/// })
/// .event_types(["UserCreated"]);
///
/// let created = NewEvent::new("UserCreated", &"alice@example.com")?;
/// EventStore::new().append(&mut conn, &StreamId::new("User", "alice")?, ExpectedVersion::Any, &[created])?;
///
/// let caught_up = users.catch_up(&mut conn)?;
/// assert_eq!(caught_up.applied(), 1);
/// assert_eq!(users.catch_up(&mut conn)?.applied(), 0);
/// # Ok(())
/// # }
/// ```
pub struct Projection<C> {
    pub(super) id: ProjectionId,
    pub(super) filter: EventFilter,
    pub(super) handler: Handler<C>,
    pub(super) batch_size: usize,
    pub(super) partitions: i32,
    pub(super) lease: Duration,
    pub(super) policies: Policies,
}

impl<C> Projection<C> {
    /// A projection whose handler takes one event at a time.
    ///
    /// The name is what its checkpoint is kept under. Count the version, from 1, up when the handler makes something else of
    /// the same events: another version has a checkpoint of its own, and begins with the first event.
    ///
    /// ```
    /// use diesel::prelude::*;
    /// use diesel_event_store::projection::Projection;
    ///
    /// let orders = Projection::new("orders", 1, |_conn: &mut SqliteConnection, event| {
    ///     println!("{} at {}", event.event_type(), event.position());
    ///     Ok(())
    /// });
    /// assert_eq!(orders.id().to_string(), "orders version 1");
    /// ```
    pub fn new<H>(name: impl Into<String>, version: i32, handler: H) -> Self
    where
        H: Fn(&mut C, &RecordedEvent) -> Result<(), HandlerError> + Send + Sync + 'static,
    {
        Self::with(name.into(), version, Handler::Each(Box::new(handler)))
    }

    /// A projection whose handler takes a batch of events at once, of which it may make fewer statements.
    ///
    /// After a failure it is given the events of the batch one by one, so that the one that cannot be applied is found.
    ///
    /// ```
    /// use diesel::prelude::*;
    /// use diesel_event_store::projection::Projection;
    ///
    /// let totals = Projection::in_batches("totals", 1, |_conn: &mut SqliteConnection, events| {
    ///     println!("{} more", events.len());
    ///     Ok(())
    /// });
    /// ```
    pub fn in_batches<H>(name: impl Into<String>, version: i32, handler: H) -> Self
    where
        H: Fn(&mut C, &[RecordedEvent]) -> Result<(), HandlerError> + Send + Sync + 'static,
    {
        Self::with(name.into(), version, Handler::Batch(Box::new(handler)))
    }

    fn with(name: String, version: i32, handler: Handler<C>) -> Self {
        Self {
            id: ProjectionId { name, version },
            filter: EventFilter::new(),
            handler,
            batch_size: 100,
            partitions: 1,
            lease: Duration::from_secs(30),
            policies: Policies::default(),
        }
    }

    /// Only events that pass this filter, which takes the place of all conditions that were given before. Default: every event.
    ///
    /// What is filtered out is not read, and the checkpoint moves past it all the same.
    ///
    /// ```
    /// use diesel::prelude::*;
    /// use diesel_event_store::EventFilter;
    /// use diesel_event_store::projection::Projection;
    ///
    /// let placed = EventFilter::new().aggregate_types(["Order"]).event_types(["OrderPlaced"]);
    /// let orders = Projection::new("orders", 1, |_conn: &mut SqliteConnection, _event| Ok(())).filter(placed);
    /// ```
    pub fn filter(mut self, filter: EventFilter) -> Self {
        self.filter = filter;
        self
    }

    /// Short for [`EventFilter::aggregate_types`].
    pub fn aggregate_types<T: Into<String>>(mut self, types: impl IntoIterator<Item = T>) -> Self {
        self.filter = self.filter.aggregate_types(types);
        self
    }

    /// Short for [`EventFilter::event_types`].
    pub fn event_types<T: Into<String>>(mut self, types: impl IntoIterator<Item = T>) -> Self {
        self.filter = self.filter.event_types(types);
        self
    }

    /// The most events of one transaction, from 1 to 100,000: 100 unless it is given. Larger batches cost less an event, and
    /// keep other writers waiting for longer, on SQLite all of them.
    pub fn batch_size(mut self, events: usize) -> Self {
        self.batch_size = events;
        self
    }

    /// How many parts of it can be applied at the same time, from 1 to [`MAX_PARTITIONS`]: 1 unless it is given. All events of
    /// an aggregate belong to one partition, by a hash of its type and id.
    ///
    /// It is what the projection begins with; once it is there, [`repartition`](super::repartition) changes it. On SQLite, where
    /// there is one writer at a time, partitions only help handlers that do most of their work outside the database.
    pub fn partitions(mut self, partitions: i32) -> Self {
        self.partitions = partitions;
        self
    }

    /// How long a worker that is not heard of keeps its partitions, from 100 milliseconds to a day: 30 seconds unless it is
    /// given. It must be longer than a batch takes: a worker that comes back too late finds that its batch is not counted, and
    /// says so.
    ///
    /// A worker that is suspended in the middle of a batch keeps the locks of its transaction until it goes on, or the database
    /// finds that its connection is gone: whoever takes over waits for the rows that it has written. Where machines may vanish,
    /// let the server end such transactions (`idle_in_transaction_session_timeout` on PostgreSQL, `idle_transaction_timeout` on
    /// MariaDB). On SQLite the lock is that of the whole database, so nobody can take over before it goes on or dies; it then goes
    /// on where it was, and nothing is lost.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// What is done about an event that the handler has failed at, after it was [retried](Self::retries):
    /// [`OnFailure::Stop`] unless it is given.
    pub fn on_failure(mut self, policy: OnFailure) -> Self {
        self.policies.failed = policy;
        self
    }

    /// What is done about an event whose payload or metadata the handler could not decode: [`OnFailure::Stop`] unless it is
    /// given. It is not tried again.
    pub fn on_undecodable(mut self, policy: OnFailure) -> Self {
        self.policies.undecodable = policy;
        self
    }

    /// What is done about an event of a type that the handler [does not know](HandlerError::unknown_event_type):
    /// [`OnFailure::Stop`] unless it is given. It is not tried again.
    pub fn on_unknown_event_type(mut self, policy: OnFailure) -> Self {
        self.policies.unknown_event_type = policy;
        self
    }

    /// How often the handler is given an event again that it has failed at: twice unless it is given, after 100 milliseconds at
    /// first, and after twice as long each further time, a minute at most. Other events of the partition wait meanwhile.
    pub fn retries(mut self, times: u16, first_pause: Duration) -> Self {
        self.policies.retry = Retry { times: times.into(), first_pause };
        self
    }

    /// The name and the version.
    ///
    /// ```
    /// use diesel::prelude::*;
    /// use diesel_event_store::projection::{self, Projection};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let mut conn = SqliteConnection::establish(":memory:")?;
    /// # diesel_event_store::run_pending_migrations(&mut conn)?;
    /// let orders = Projection::new("orders", 2, |_conn: &mut SqliteConnection, _event| Ok(()));
    /// orders.catch_up(&mut conn)?;
    /// assert!(projection::parked(&mut conn, orders.id())?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn id(&self) -> &ProjectionId {
        &self.id
    }

    pub(super) fn query(&self, after: Position) -> LogQuery {
        LogQuery::after(after).filter(self.filter.clone())
    }

    pub(super) fn validate(&self) -> Result<(), InvalidInput> {
        check_name("projection_name", &self.id.name)?;
        check_range("projection_version", self.id.version, 1, i32::MAX)?;
        check_range("batch_size", self.batch_size, 1, MAX_BATCH_SIZE)?;
        check_partitions(self.partitions)?;
        check_range(
            "lease (in milliseconds)",
            self.lease.as_millis(),
            SHORTEST_LEASE.as_millis(),
            LONGEST_LEASE.as_millis(),
        )?;
        self.filter.validate()
    }
}

pub(super) fn check_partitions(partitions: i32) -> Result<(), InvalidInput> {
    check_range("partitions", partitions, 1, MAX_PARTITIONS)
}

fn check_range<N>(field: &'static str, value: N, lowest: N, highest: N) -> Result<(), InvalidInput>
where
    N: PartialOrd + TryInto<i64>,
{
    if value >= lowest && value <= highest {
        return Ok(());
    }
    let [value, lowest, highest] =
        [value, lowest, highest].map(|number| number.try_into().unwrap_or(i64::MAX));
    Err(InvalidInput::new(field, Problem::OutOfRange { value, lowest, highest }))
}
