use crate::model::event::RecordedEvent;
use crate::model::invalid::{InvalidInput, MAX_TENANT_LENGTH, Problem, check_name, check_name_up_to};

/// Selects events of the log: for a [`LogQuery`](crate::LogQuery), and for a
/// [`Projection`](crate::projection::Projection).
///
/// A filter without conditions lets every event through. Conditions are combined with *and*; the names within
/// one condition are alternatives. Names are compared to the character, on every database.
///
/// A condition that names nothing, or an invalid name, is refused where the filter is used, with an
/// [`InvalidInput`] that names the condition.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::{EventFilter, LogQuery, Position};
/// use diesel_event_store::{EventStore, ExpectedVersion, NewEvent, StreamId};
///
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// let arrivals = EventFilter::new().aggregate_types(["User"]).event_types(["Created", "Invited"]);
///
/// let store = EventStore::new();
/// let events = [NewEvent::new("Created", &())?, NewEvent::new("Left", &())?];
/// store.append(&mut conn, &StreamId::new("User", "alice")?, ExpectedVersion::NoStream, &events)?;
///
/// let query = LogQuery::after(Position::START).filter(arrivals.clone());
/// let found = store.read_log(&mut conn, &query, 100)?;
/// assert_eq!(found.len(), 1);
/// assert!(arrivals.matches(&found.events()[0]));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    pub(crate) tenant_id: Option<String>,
    pub(crate) aggregate_types: Option<Vec<String>>,
    pub(crate) event_types: Option<Vec<String>>,
    pub(crate) correlation_id: Option<String>,
}

impl EventFilter {
    /// Every event.
    ///
    /// ```
    /// # use diesel_event_store::EventFilter;
    /// assert!(EventFilter::new().is_empty());
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Only events of this tenant. Without it, events of all tenants pass, and events without a tenant.
    ///
    /// ```
    /// # use diesel_event_store::EventFilter;
    /// let filter = EventFilter::new().tenant("acme").event_types(["OrderPlaced"]);
    /// ```
    pub fn tenant(mut self, tenant_id: impl ToString) -> Self {
        self.tenant_id = Some(tenant_id.to_string());
        self
    }

    /// Only events of aggregates of these types. At least one must be named.
    ///
    /// ```
    /// # use diesel_event_store::EventFilter;
    /// let filter = EventFilter::new().aggregate_types(["User", "Account"]);
    /// ```
    pub fn aggregate_types<T: Into<String>>(mut self, types: impl IntoIterator<Item = T>) -> Self {
        self.aggregate_types = Some(types.into_iter().map(Into::into).collect());
        self
    }

    /// Only events of these types. At least one must be named.
    ///
    /// ```
    /// # use diesel_event_store::EventFilter;
    /// let filter = EventFilter::new().event_types(["UserCreated"]);
    /// ```
    pub fn event_types<T: Into<String>>(mut self, types: impl IntoIterator<Item = T>) -> Self {
        self.event_types = Some(types.into_iter().map(Into::into).collect());
        self
    }

    /// Only events with this correlation id.
    ///
    /// ```
    /// # use diesel_event_store::EventFilter;
    /// let filter = EventFilter::new().correlation_id("request-4711");
    /// ```
    pub fn correlation_id(mut self, correlation_id: impl ToString) -> Self {
        self.correlation_id = Some(correlation_id.to_string());
        self
    }

    /// Whether the filter lets this event through. It decides as the databases do.
    ///
    /// ```
    /// use diesel_event_store::{Appended, EventFilter};
    ///
    /// fn are_all_orders(appended: &Appended) -> bool {
    ///     let orders = EventFilter::new().aggregate_types(["Order"]);
    ///     appended.events().iter().all(|event| orders.matches(event))
    /// }
    /// ```
    pub fn matches(&self, event: &RecordedEvent) -> bool {
        (self.tenant_id.is_none() || self.tenant_id.as_deref() == event.tenant_id())
            && names(&self.aggregate_types, event.aggregate_type())
            && names(&self.event_types, event.event_type())
            && (self.correlation_id.is_none() || self.correlation_id.as_deref() == event.correlation_id())
    }

    /// Whether it has no condition, and so lets every event through.
    ///
    /// ```
    /// # use diesel_event_store::EventFilter;
    /// assert!(!EventFilter::new().event_types(["UserCreated"]).is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn validate(&self) -> Result<(), InvalidInput> {
        if let Some(tenant_id) = &self.tenant_id {
            check_name_up_to(MAX_TENANT_LENGTH, "tenant_id", tenant_id)?;
        }
        check_names("aggregate_types", self.aggregate_types.as_deref())?;
        check_names("event_types", self.event_types.as_deref())?;
        self.correlation_id.as_deref().map_or(Ok(()), |id| check_name("correlation_id", id))
    }
}

fn names(alternatives: &Option<Vec<String>>, name: &str) -> bool {
    alternatives.as_ref().is_none_or(|names| names.iter().any(|known| known == name))
}

fn check_names(field: &'static str, names: Option<&[String]>) -> Result<(), InvalidInput> {
    let Some(names) = names else { return Ok(()) };
    if names.is_empty() {
        return Err(InvalidInput::new(field, Problem::Empty));
    }
    names.iter().try_for_each(|name| check_name(field, name))
}
