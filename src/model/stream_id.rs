use std::fmt;
use std::sync::Arc;

use crate::model::invalid::{InvalidInput, check_name};

/// Names a stream by the type and the id of its aggregate.
///
/// Two words, each with one meaning everywhere in this crate. An *aggregate* is the thing in your application
/// that has a history, like the user Alice: it has a type, an id and a version. A *stream* is that history as
/// it is stored: the events of one aggregate, in the order of their versions. Each aggregate has exactly one
/// stream.
///
/// Both are kept to the character: case, spaces at the end and emoji make a difference, on every database.
/// Cloning it copies no text.
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
/// # Ok::<(), diesel_event_store::InvalidInput>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId {
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
        let stream =
            Self { aggregate_type: aggregate_type.into(), aggregate_id: aggregate_id.to_string().into() };
        check_name("aggregate_type", &stream.aggregate_type)?;
        check_name("aggregate_id", &stream.aggregate_id)?;
        Ok(stream)
    }

    /// From a database; it was checked before it was written.
    pub(crate) fn stored(aggregate_type: Arc<str>, aggregate_id: Arc<str>) -> Self {
        Self { aggregate_type, aggregate_id }
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

    /// The id of the aggregate, unique within its type.
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
        write!(f, "{}/{}", self.aggregate_type, self.aggregate_id)
    }
}
