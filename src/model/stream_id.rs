use std::fmt;
use std::hash::Hasher;
use std::sync::Arc;

use twox_hash::XxHash64;

use crate::model::invalid::{InvalidInput, MAX_TENANT_LENGTH, check_name, check_name_up_to};

/// Names a stream by the type and the id of its aggregate, and by its tenant if it belongs to one.
///
/// Two words, each with one meaning everywhere in this crate. An *aggregate* is the thing in your application
/// that has a history, like the user Alice: it has a type, an id and a version. A *stream* is that history as
/// it is stored: the events of one aggregate, in the order of their versions. Each aggregate has exactly one
/// stream.
///
/// All are kept to the character: case, spaces at the end and emoji make a difference, on every database.
/// Cloning it copies no text.
///
/// An application that serves several tenants names the [tenant](Self::in_tenant), too. Aggregates of two
/// tenants with the same type and id have two streams.
///
/// ```
/// use diesel_event_store::StreamId;
///
/// let alice = StreamId::new("User", "alice")?;
/// assert_eq!(alice.aggregate_type(), "User");
/// assert_eq!(alice.aggregate_id(), "alice");
/// assert_eq!(alice.to_string(), "User/alice");
///
/// let order = StreamId::new("Order", 1042)?; // anything that can be displayed: numbers, UUIDs
/// assert_eq!(order.aggregate_id(), "1042");
///
/// let at_acme = order.clone().in_tenant("acme")?;
/// assert_ne!(at_acme, order);
/// assert_eq!(at_acme.to_string(), "Order/1042 (tenant acme)");
/// # Ok::<(), diesel_event_store::InvalidInput>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId {
    tenant_id: Option<Arc<str>>,
    aggregate_type: Arc<str>,
    aggregate_id: Arc<str>,
}

impl StreamId {
    /// The stream of the aggregate with this type and id.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`] when one of them is empty, longer than [`MAX_NAME_LENGTH`](crate::MAX_NAME_LENGTH)
    /// characters, or holds a control character.
    pub fn new(
        aggregate_type: impl Into<Arc<str>>,
        aggregate_id: impl ToString,
    ) -> Result<Self, InvalidInput> {
        let (aggregate_type, aggregate_id) = (aggregate_type.into(), aggregate_id.to_string());
        check_name("aggregate_type", &aggregate_type)?;
        check_name("aggregate_id", &aggregate_id)?;
        Ok(Self { tenant_id: None, aggregate_type, aggregate_id: aggregate_id.into() })
    }

    /// The stream of the aggregate with the same type and id that belongs to this tenant.
    ///
    /// ```
    /// # use diesel_event_store::StreamId;
    /// let order = StreamId::new("Order", 1042)?.in_tenant("acme")?;
    /// assert_eq!((order.tenant_id(), order.aggregate_id()), (Some("acme"), "1042"));
    /// # Ok::<(), diesel_event_store::InvalidInput>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidInput`] when the tenant is empty, longer than [`MAX_TENANT_LENGTH`] characters, or holds a
    /// control character.
    pub fn in_tenant(self, tenant_id: impl ToString) -> Result<Self, InvalidInput> {
        let tenant_id = tenant_id.to_string();
        check_name_up_to(MAX_TENANT_LENGTH, "tenant_id", &tenant_id)?;
        Ok(Self { tenant_id: Some(tenant_id.into()), ..self })
    }

    /// From a database; it was checked before it was written.
    pub(crate) fn stored(
        tenant_id: Option<Arc<str>>,
        aggregate_type: Arc<str>,
        aggregate_id: Arc<str>,
    ) -> Self {
        Self { tenant_id, aggregate_type, aggregate_id }
    }

    /// The tenant that the aggregate belongs to; `None` if it belongs to none.
    ///
    /// ```
    /// # use diesel_event_store::StreamId;
    /// assert_eq!(StreamId::new("User", "alice")?.tenant_id(), None);
    /// # Ok::<(), diesel_event_store::InvalidInput>(())
    /// ```
    pub fn tenant_id(&self) -> Option<&str> {
        self.tenant_id.as_deref()
    }

    /// As it stands in the databases: part of a key, so it is never NULL.
    pub(crate) fn tenant_column(&self) -> &str {
        self.tenant_id.as_deref().unwrap_or_default()
    }

    /// 16 bytes that stand for it in memory, whatever its name.
    pub(crate) fn digest(&self) -> [u64; 2] {
        [0, 1].map(|seed| {
            let mut hasher = XxHash64::with_seed(seed);
            for name in [self.tenant_column(), self.aggregate_type(), self.aggregate_id()] {
                hasher.write(name.as_bytes());
                hasher.write(&[0]); // which no name has
            }
            hasher.finish()
        })
    }

    /// The type of the aggregate.
    ///
    /// ```
    /// # use diesel_event_store::StreamId;
    /// assert_eq!(StreamId::new("User", "alice")?.aggregate_type(), "User");
    /// # Ok::<(), diesel_event_store::InvalidInput>(())
    /// ```
    pub fn aggregate_type(&self) -> &str {
        &self.aggregate_type
    }

    /// The id of the aggregate, unique within its type and tenant.
    ///
    /// ```
    /// # use diesel_event_store::StreamId;
    /// assert_eq!(StreamId::new("User", "alice")?.aggregate_id(), "alice");
    /// # Ok::<(), diesel_event_store::InvalidInput>(())
    /// ```
    pub fn aggregate_id(&self) -> &str {
        &self.aggregate_id
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.aggregate_type, self.aggregate_id)?;
        match &self.tenant_id {
            Some(tenant_id) => write!(f, " (tenant {tenant_id})"),
            None => Ok(()),
        }
    }
}
