use std::time::Duration;

use super::handler::{Handler, HandlerError};
use super::kind::{Blocks, Kind};
use super::policy::{OnFailure, Policies, Retry};
use super::start_from::StartFrom;
use crate::model::event::RecordedEvent;
use crate::model::filter::EventFilter;
use crate::model::invalid::{InvalidInput, Problem, check_at_least_one, check_name};
use crate::model::log::{DEFAULT_SLICE_BYTES, LogQuery};
use crate::model::page_size::PageSize;
use crate::model::position::Position;
use crate::model::projection_id::ProjectionId;

/// The most partitions a projection can have.
pub const MAX_PARTITIONS: i32 = 1024;

/// The most events that a batch can have.
const MAX_BATCH_SIZE: usize = 100_000;

/// The most events of a page of the log, unless batches are larger.
pub(super) const LARGEST_PAGE: usize = 10_000;

/// The fewest per partition, so that small batches do not have the log read in small pieces.
const SMALLEST_PAGE: usize = 500;

/// The shortest lease. With a shorter one, a worker on a busy machine would look dead.
const SHORTEST_LEASE: Duration = Duration::from_millis(100);
const LONGEST_LEASE: Duration = Duration::from_secs(24 * 60 * 60);

/// A projection makes a read model of events: it says which events, and what is done with each.
///
/// The handler is lent a connection on which a transaction is open. The checkpoint moves in the same
/// transaction, so in the same database each event is applied exactly once: write on that connection, and
/// neither commit nor roll back. A handler that acts outside the database (mails, brokers) is called at least
/// once per event; pass the event's id on, by which the other side recognises a repetition.
///
/// `K` says whether the handler blocks. Default: [`Blocks`]. One that is awaited makes an `AsyncProjection`, by
/// `Projection::awaited`.
///
/// ```
/// use diesel::prelude::*;
/// use diesel::sql_types::Text;
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
///     diesel::sql_query("INSERT INTO users VALUES (?)").bind::<Text, _>(email).execute(conn)?;
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
pub struct Projection<C, K: Kind = Blocks> {
    pub(super) id: ProjectionId,
    pub(super) filter: EventFilter,
    pub(super) handler: K::Handler<C>,
    pub(super) batch_size: usize,
    pub(super) page_bytes: usize,
    pub(super) partitions: i32,
    pub(super) lease: Duration,
    pub(super) policies: Policies,
    pub(super) start_from: StartFrom,
}

impl<C> Projection<C> {
    /// A projection whose handler takes one event at a time.
    ///
    /// The checkpoint is kept under the name and the version, which counts from 1. Raise the version when the
    /// handler makes something else of the same events: the new version has a checkpoint of its own, and
    /// begins with the first event, or where it [starts](Self::start_from).
    ///
    /// A name that is empty, longer than [`MAX_NAME_LENGTH`](crate::MAX_NAME_LENGTH) characters or has a
    /// control character, a version below 1, and options out of range are refused when the projection is run.
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

    /// A projection whose handler takes a batch of events at once, so that it can write them with fewer
    /// statements.
    ///
    /// After a failure the handler is given the events of the batch one by one, to find the one that cannot
    /// be applied.
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
}

/// What every projection can be told.
impl<C, K: Kind> Projection<C, K> {
    pub(super) fn with(name: String, version: i32, handler: K::Handler<C>) -> Self {
        Self {
            id: ProjectionId { name, version },
            filter: EventFilter::new(),
            handler,
            batch_size: 100,
            page_bytes: DEFAULT_SLICE_BYTES,
            partitions: 1,
            lease: Duration::from_secs(30),
            policies: Policies::default(),
            start_from: StartFrom::default(),
        }
    }

    /// The same for another type of connections.
    pub(super) fn with_handler<P>(
        self,
        handler: impl FnOnce(K::Handler<C>) -> K::Handler<P>,
    ) -> Projection<P, K> {
        Projection {
            id: self.id,
            filter: self.filter,
            handler: handler(self.handler),
            batch_size: self.batch_size,
            page_bytes: self.page_bytes,
            partitions: self.partitions,
            lease: self.lease,
            policies: self.policies,
            start_from: self.start_from,
        }
    }

    /// Only events that pass this filter, which takes the place of all conditions that were given before.
    /// Default: every event.
    ///
    /// What is filtered out is not read, and the checkpoint moves past it all the same.
    ///
    /// ```
    /// use diesel::prelude::*;
    /// use diesel_event_store::EventFilter;
    /// use diesel_event_store::projection::Projection;
    ///
    /// let placed = EventFilter::new().aggregate_types(["Order"]).event_types(["OrderPlaced"]);
    /// let orders = Projection::new("orders", 1, |_conn: &mut SqliteConnection, _event| Ok(()));
    /// let orders = orders.filter(placed);
    /// ```
    pub fn filter(mut self, filter: EventFilter) -> Self {
        self.filter = filter;
        self
    }

    /// Short for [`EventFilter::tenant`]. The log is read in the order of the positions, past the events of
    /// all other tenants.
    pub fn tenant(mut self, tenant_id: impl ToString) -> Self {
        self.filter = self.filter.tenant(tenant_id);
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

    /// The most events per transaction, from 1 to 100,000. Default: 100.
    ///
    /// Larger batches cost less per event, and keep other writers waiting for longer, on SQLite all of them.
    pub fn batch_size(mut self, events: usize) -> Self {
        self.batch_size = events;
        self
    }

    /// How many bytes of payloads and metadata are read of the log at once, 1 or more: see
    /// [`LogQuery::max_bytes`]. Default: [`DEFAULT_SLICE_BYTES`], 16 MiB.
    ///
    /// A runner with several partitions keeps up to four times as many, and has one more page read ahead.
    pub fn page_bytes(mut self, bytes: usize) -> Self {
        self.page_bytes = bytes;
        self
    }

    /// How many parts of the projection can be applied at the same time, from 1 to [`MAX_PARTITIONS`].
    /// Default: 1.
    ///
    /// All events of an aggregate belong to one partition, by a hash of its type, id and tenant. The number
    /// counts when the projection is run for the first time; later, [`repartition`](super::repartition)
    /// changes it. On SQLite keep one: there is one writer at a time, so partitions take turns, whatever their
    /// handlers do.
    pub fn partitions(mut self, partitions: i32) -> Self {
        self.partitions = partitions;
        self
    }

    /// Where to start when this version is run for the first time: mails that are sent from now on, for
    /// instance. It holds for all partitions. Default: [`StartFrom::Beginning`].
    ///
    /// Once the projection has a checkpoint, it goes on from there, whatever is said here. A position beyond
    /// the log, and a time that cannot be stored, are refused as [`Invalid`](super::ProjectionError::Invalid)
    /// when the projection is run. Inside a transaction on MySQL, `Now` and `Time` end where the log is
    /// [published](crate::EventStore::publish_position).
    ///
    /// ```
    /// use diesel::prelude::*;
    /// use diesel_event_store::projection::{Projection, StartFrom};
    /// use diesel_event_store::{EventStore, ExpectedVersion, NewEvent, StreamId};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let mut conn = SqliteConnection::establish(":memory:")?;
    /// # diesel_event_store::run_pending_migrations(&mut conn)?;
    /// # let alice = StreamId::new("User", "alice")?;
    /// let store = EventStore::new();
    /// store.append(&mut conn, &alice, ExpectedVersion::Any, &[NewEvent::new("UserCreated", &())?])?;
    ///
    /// let mails = Projection::new("mails", 1, |_conn: &mut SqliteConnection, _event| Ok(()))
    ///     .start_from(StartFrom::Now);
    /// assert_eq!(mails.catch_up(&mut conn)?.applied(), 0);
    /// store.append(&mut conn, &alice, ExpectedVersion::Any, &[NewEvent::new("UserRenamed", &())?])?;
    /// assert_eq!(mails.catch_up(&mut conn)?.applied(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn start_from(mut self, start_from: StartFrom) -> Self {
        self.start_from = start_from;
        self
    }

    /// How long a worker that has died keeps its partitions, from 100 milliseconds to a day. Default: 30
    /// seconds.
    ///
    /// It must be longer than a batch takes. A worker whose lease has run out, and whose partition another
    /// worker has taken over, rolls its batch back, with [`LeaseLost`](super::ProjectionError::LeaseLost).
    ///
    /// A worker that is suspended in the middle of a batch keeps the locks of its transaction until it goes
    /// on, or the database finds that its connection is gone. The worker that takes over waits for the rows
    /// that the first one has written. Where machines may vanish, let the server end such transactions
    /// (`idle_in_transaction_session_timeout` on PostgreSQL, `idle_transaction_timeout` on MariaDB). On
    /// SQLite the lock is that of the whole database, so no other worker can take over before the first one
    /// goes on or dies; if it goes on, it goes on where it was, and nothing is lost.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// What is done about an event at which the handler has failed, also after [retries](Self::retries).
    /// Default: [`OnFailure::Stop`].
    pub fn on_failure(mut self, policy: OnFailure) -> Self {
        self.policies.failed = policy;
        self
    }

    /// What is done about an event whose payload or metadata the handler could not decode. It is not retried.
    /// Default: [`OnFailure::Stop`].
    pub fn on_undecodable(mut self, policy: OnFailure) -> Self {
        self.policies.undecodable = policy;
        self
    }

    /// What is done about an event of a type that the handler [does not
    /// know](HandlerError::unknown_event_type). It is not retried. Default: [`OnFailure::Stop`].
    pub fn on_unknown_event_type(mut self, policy: OnFailure) -> Self {
        self.policies.unknown_event_type = policy;
        self
    }

    /// How often a failing handler is given the same event again, and the pause before the first time.
    /// Default: 2 and 100 milliseconds.
    ///
    /// Each further pause is twice as long as the one before, one minute at most. Other events of the
    /// partition wait meanwhile.
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
        LogQuery::after(after).filter(self.filter.clone()).max_bytes(self.page_bytes)
    }

    /// A page for so many partitions holds several batches of each: the last of a page is seldom full.
    pub(super) fn page_size(&self, partitions: i32) -> PageSize {
        let partitions = usize::try_from(partitions).unwrap_or(1);
        let each = self.batch_size.max(SMALLEST_PAGE);
        PageSize::up_to(each.saturating_mul(partitions).min(LARGEST_PAGE.max(self.batch_size)))
    }

    pub(super) fn validate(&self) -> Result<(), InvalidInput> {
        check_name("projection_name", &self.id.name)?;
        check_range("projection_version", self.id.version, 1, i32::MAX)?;
        check_range("batch_size", self.batch_size, 1, MAX_BATCH_SIZE)?;
        check_at_least_one("page_bytes", self.page_bytes)?;
        check_partitions(self.partitions)?;
        check_range(
            "lease (in milliseconds)",
            self.lease.as_millis(),
            SHORTEST_LEASE.as_millis(),
            LONGEST_LEASE.as_millis(),
        )?;
        self.start_from.validate()?;
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
