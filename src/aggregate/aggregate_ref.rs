use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;

use crate::decision::attempts::check_attempts;
use crate::decision::envelope::Envelope;
use crate::decision::{Aggregate, DEFAULT_ATTEMPTS};
use crate::model::event::RecordedEvent;
use crate::model::expected_version::ExpectedVersion;
use crate::model::invalid::{InvalidInput, check_name};
use crate::model::stream_id::StreamId;
use crate::store::EventStore;

/// An aggregate by its id, and how commands are executed on it. It holds no connection.
///
/// [`EventStore::aggregate`] makes it. The methods that take a connection do the work, and tell what is wrong
/// with what was given here: [`load`](Self::load), [`execute`](Self::execute), [`update`](Self::update). They
/// consume it, as diesel's consume a query: clone it to use it again.
///
/// `AsyncEventStore::aggregate` makes an `AggregateRef<A, AsyncEventStore>`, whose methods of these names are
/// awaited.
///
/// ```
/// # use diesel_event_store::*;
/// fn order<Order: Aggregate>(id: u64, request: &str) -> AggregateRef<Order> {
///     EventStore::new().aggregate(id).correlation_id(request).attempts(5)
/// }
/// ```
pub struct AggregateRef<A, S = EventStore> {
    pub(super) store: EventStore,
    stream: Result<StreamId, InvalidInput>,
    /// Whether the caller has said to which tenant it belongs.
    has_tenant: bool,
    pub(super) envelope: Envelope,
    pub(super) expected: Option<ExpectedVersion>,
    pub(super) attempts: u32,
    pub(super) key: Option<Box<str>>,
    types: PhantomData<fn() -> (A, S)>,
}

impl EventStore {
    /// The aggregate of this type with this id: anything that can be displayed, 1 to
    /// [`MAX_NAME_LENGTH`](crate::MAX_NAME_LENGTH) characters.
    ///
    /// ```
    /// # #[cfg(feature = "derive")]
    /// # fn main() -> Result<(), diesel_event_store::Error> {
    /// use diesel::prelude::*;
    /// use diesel_event_store::{Aggregate, Decide, Event, EventStore, Evolve};
    ///
    /// #[derive(Event)]
    /// enum AccountEvent {
    ///     #[event(name = "MoneyDeposited")]
    ///     Deposited { cents: i64 },
    ///     #[event(name = "MoneyWithdrawn")]
    ///     Withdrawn { cents: i64 },
    /// }
    ///
    /// struct Account {
    ///     cents: i64,
    /// }
    ///
    /// impl Evolve for Account {
    ///     type Event = AccountEvent;
    ///
    ///     fn evolve(self, event: AccountEvent) -> Self {
    ///         match event {
    ///             AccountEvent::Deposited { cents } => Self { cents: self.cents + cents },
    ///             AccountEvent::Withdrawn { cents } => Self { cents: self.cents - cents },
    ///         }
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
    /// struct Withdraw {
    ///     cents: i64,
    /// }
    ///
    /// #[derive(Debug, thiserror::Error)]
    /// #[error("there are only {0} cents")]
    /// struct NotEnough(i64);
    ///
    /// impl Decide<Withdraw> for Account {
    ///     type Error = NotEnough;
    ///
    ///     fn decide(&self, &Withdraw { cents }: &Withdraw) -> Result<Vec<AccountEvent>, NotEnough> {
    ///         if cents > self.cents {
    ///             return Err(NotEnough(self.cents));
    ///         }
    ///         Ok(vec![AccountEvent::Withdrawn { cents }])
    ///     }
    /// }
    ///
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # diesel_event_store::run_pending_migrations(&mut conn)?;
    /// let account = EventStore::new().aggregate::<Account>("a-1");
    /// let deposited = || AccountEvent::Deposited { cents: 500 };
    /// account.clone().update(&mut conn, |_| Ok::<_, NotEnough>(vec![deposited()]))?;
    /// let done = account.execute(&mut conn, &Withdraw { cents: 200 })?;
    /// assert_eq!((done.state.cents, done.version), (300, 2));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "derive"))]
    /// # fn main() {}
    /// ```
    pub fn aggregate<A: Aggregate>(&self, id: impl ToString) -> AggregateRef<A> {
        AggregateRef::new(*self, id)
    }
}

impl<A: Aggregate, S> AggregateRef<A, S> {
    pub(super) fn new(store: EventStore, id: impl ToString) -> Self {
        Self {
            store,
            stream: StreamId::new(A::TYPE, id),
            has_tenant: false,
            envelope: Envelope::default(),
            expected: None,
            attempts: DEFAULT_ATTEMPTS,
            key: None,
            types: PhantomData,
        }
    }

    /// The aggregate with the same id that belongs to this tenant. What is wrong with the tenant is told by
    /// the method that takes a connection, as for the id. Default: that of the event it is [caused
    /// by](Self::caused_by), or none.
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// # fn of_acme<A: Aggregate>(order: AggregateRef<A>) -> AggregateRef<A> {
    /// order.in_tenant("acme")
    /// # }
    /// ```
    pub fn in_tenant(self, tenant_id: impl ToString) -> Self {
        let stream = self.stream.and_then(|stream| stream.in_tenant(tenant_id));
        Self { stream, has_tenant: true, ..self }
    }

    /// The version that the client has seen: an `If-Match`. A command is then refused with a
    /// [`Conflict`](crate::Conflict), before anything is decided, if the stream is at another version, and is
    /// never tried again. Default: whatever version is loaded.
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// # fn close<A: Aggregate>(orders: AggregateRef<A>, seen: i64) -> AggregateRef<A> {
    /// orders.expecting(ExpectedVersion::Exact(seen))
    /// # }
    /// ```
    pub fn expecting(self, version: ExpectedVersion) -> Self {
        Self { expected: Some(version), ..self }
    }

    /// How often a command is tried in all, 1 or more. Default: [`DEFAULT_ATTEMPTS`].
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// # fn impatient<A: Aggregate>(order: AggregateRef<A>) -> AggregateRef<A> {
    /// order.attempts(3)
    /// # }
    /// ```
    pub fn attempts(self, attempts: u32) -> Self {
        Self { attempts, ..self }
    }

    /// The key of the request, 1 to [`MAX_NAME_LENGTH`](crate::MAX_NAME_LENGTH) characters: when a command is
    /// executed again with the same key, nothing is decided, and the result is that of the first time, with
    /// [`is_repeat`](crate::Executed::is_repeat). Also if both happen at the same moment: one of them waits
    /// for the other. Default: none.
    ///
    /// The key belongs to the tenant of the aggregate. With another aggregate it is refused as
    /// [`KeyReused`](crate::AppendError::KeyReused). What the command says is not compared. A command that
    /// was rejected, failed or came to no events has used no key: repeated, it is decided anew. A key is kept
    /// until [`delete_keys_before`](EventStore::delete_keys_before).
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// fn pay<Order: Decide<u32>>(
    ///     conn: &mut impl EventConnection,
    ///     request: &str,
    /// ) -> Result<i64, ExecuteError<Order::Error>> {
    ///     let order = EventStore::new().aggregate::<Order>("o-1").idempotency_key(request);
    ///     Ok(order.execute(conn, &100)?.version)
    /// }
    /// ```
    pub fn idempotency_key(self, key: impl ToString) -> Self {
        Self { key: Some(key.to_string().into()), ..self }
    }

    /// The [correlation id](crate::NewEvent::correlation_id) of the events that are appended.
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// # fn of_request<A: Aggregate>(order: AggregateRef<A>) -> AggregateRef<A> {
    /// order.correlation_id("request-4711")
    /// # }
    /// ```
    pub fn correlation_id(self, correlation_id: impl ToString) -> Self {
        Self { envelope: self.envelope.correlation_id(correlation_id), ..self }
    }

    /// The [causation id](crate::NewEvent::causation_id) of the events that are appended.
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// # fn of_command<A: Aggregate>(order: AggregateRef<A>, command: uuid::Uuid) -> AggregateRef<A> {
    /// order.causation_id(command)
    /// # }
    /// ```
    pub fn causation_id(self, causation_id: impl ToString) -> Self {
        Self { envelope: self.envelope.causation_id(causation_id), ..self }
    }

    /// The events are appended because of this one: its id is their causation id, its correlation id is
    /// theirs, and the aggregate belongs to its tenant, unless [`in_tenant`](Self::in_tenant) says another.
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// # fn react<A: Aggregate>(payment: AggregateRef<A>, placed: &RecordedEvent) -> AggregateRef<A> {
    /// payment.caused_by(placed)
    /// # }
    /// ```
    pub fn caused_by(self, recorded: &RecordedEvent) -> Self {
        let stream = match recorded.tenant_id() {
            Some(tenant_id) if !self.has_tenant => self.stream.and_then(|stream| stream.in_tenant(tenant_id)),
            _ => self.stream,
        };
        Self { stream, envelope: self.envelope.caused_by(recorded), ..self }
    }

    /// The [metadata](crate::NewEvent::metadata) of the events that are appended: anything that serde can
    /// serialize as JSON.
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// # fn from_desk<A: Aggregate>(order: AggregateRef<A>) -> AggregateRef<A> {
    /// order.metadata(&"front desk")
    /// # }
    /// ```
    pub fn metadata(self, metadata: &(impl Serialize + ?Sized)) -> Self {
        Self { envelope: self.envelope.metadata(metadata), ..self }
    }

    /// The stream, if everything that was given is valid.
    pub(super) fn stream(&self) -> Result<&StreamId, InvalidInput> {
        let stream = self.stream.as_ref().map_err(InvalidInput::clone)?;
        self.envelope.validate()?;
        self.expected.map_or(Ok(()), ExpectedVersion::validate)?;
        check_attempts(self.attempts)?;
        A::snapshots().map_or(Ok(()), |snapshots| snapshots.validate())?;
        self.key.as_deref().map_or(Ok(()), |key| check_name("idempotency_key", key))?;
        Ok(stream)
    }
}

impl<A, S> Clone for AggregateRef<A, S> {
    fn clone(&self) -> Self {
        let (stream, envelope, key) = (self.stream.clone(), self.envelope.clone(), self.key.clone());
        Self { stream, envelope, key, ..*self }
    }
}

impl<A, S> fmt::Debug for AggregateRef<A, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AggregateRef").field("stream", &self.stream).finish_non_exhaustive()
    }
}
