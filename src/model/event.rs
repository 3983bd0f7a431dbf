use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::model::decode_error::DecodeError;
use crate::model::invalid::{InvalidInput, Problem, check_name};
use crate::model::json::Json;
use crate::model::name::Name;
use crate::model::position::Position;
use crate::model::stream_id::StreamId;
use crate::model::timestamp;

/// The part of an event that is the same before and after it is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) event_id: Uuid,
    pub(crate) event_type: Name,
    pub(crate) event_version: i32,
    pub(crate) payload: Json,
    pub(crate) metadata: Option<Json>,
    pub(crate) trace_id: Option<Box<str>>,
    pub(crate) correlation_id: Option<Box<str>>,
    pub(crate) causation_id: Option<Box<str>>,
}

impl Content {
    /// Whether both say that the same has happened.
    pub(crate) fn says_the_same(&self, other: &Self) -> bool {
        self.event_type == other.event_type
            && self.event_version == other.event_version
            && self.payload == other.payload
    }
}

/// An event to append.
///
/// It has an id from the beginning (default: a time-ordered UUIDv7), so it can be referred to before it is
/// recorded. Appending the same `NewEvent` again after a failure with an unknown outcome cannot record it
/// twice: the second attempt is refused with [`DuplicateEventId`](crate::AppendError::DuplicateEventId). A
/// clone has the same id.
///
/// [`append`](crate::EventStore::append) refuses values that are too long, too large or out of range before
/// it writes anything.
///
/// ```
/// use diesel_event_store::NewEvent;
/// use serde::Serialize;
///
/// #[derive(Serialize)]
/// struct UserCreated<'a> {
///     email: &'a str,
/// }
///
/// let event = NewEvent::new("UserCreated", &UserCreated { email: "alice@example.com" })?
///     .event_version(2)
///     .correlation_id("request-4711");
/// assert_eq!(event.payload_json(), r#"{"email":"alice@example.com"}"#);
/// # Ok::<(), diesel_event_store::InvalidInput>(())
/// ```
#[derive(Debug, Clone)]
pub struct NewEvent {
    pub(crate) content: Content,
    pub(crate) created_at: Option<DateTime<Utc>>,
}

impl NewEvent {
    /// An event of this type with a payload that serde can serialize. A type that is written in the code
    /// (`&'static str`) is not copied; any other is given as a `String`.
    ///
    /// `serde_json` writes infinite floating-point numbers and NaN as `null`.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`] if the payload cannot be serialized as JSON (for instance a map whose keys are not
    /// texts) or is nested more than [`MAX_JSON_DEPTH`](crate::MAX_JSON_DEPTH) levels deep.
    ///
    /// ```
    /// # use diesel_event_store::NewEvent;
    /// let event = NewEvent::new("MoneyDeposited", &serde_json::json!({ "cents": 1250 }))?;
    /// assert_eq!(event.payload_json(), r#"{"cents":1250}"#);
    /// # Ok::<(), diesel_event_store::InvalidInput>(())
    /// ```
    pub fn new(
        event_type: impl Into<Cow<'static, str>>,
        payload: &(impl Serialize + ?Sized),
    ) -> Result<Self, InvalidInput> {
        Ok(Self::of(event_type.into(), Json::from_value("payload", payload)?))
    }

    /// An event whose payload is already JSON text. The text is read back exactly as it is given here: the
    /// order of keys, the digits of numbers, escapes and spaces. That includes JSON that no Rust type can
    /// hold: a number beyond `f64`, or an escape like `\ud800` that is half a character.
    /// [`RecordedEvent::payload`] may fail to decode it; [`RecordedEvent::payload_json`] returns it.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`] if the text is not JSON or is nested more than
    /// [`MAX_JSON_DEPTH`](crate::MAX_JSON_DEPTH) levels deep.
    ///
    /// ```
    /// # use diesel_event_store::NewEvent;
    /// let event = NewEvent::from_json("Measured", r#"{ "value": 1.50, "at": "\u0000" }"#)?;
    /// assert_eq!(event.payload_json(), r#"{ "value": 1.50, "at": "\u0000" }"#);
    ///
    /// let refused = NewEvent::from_json("Measured", "{value: 1.50}").unwrap_err();
    /// assert_eq!(refused.field(), "payload");
    /// # Ok::<(), diesel_event_store::InvalidInput>(())
    /// ```
    pub fn from_json(
        event_type: impl Into<Cow<'static, str>>,
        payload: impl Into<Box<str>>,
    ) -> Result<Self, InvalidInput> {
        Ok(Self::of(event_type.into(), Json::from_text("payload", payload)?))
    }

    pub(crate) fn of(event_type: Cow<'static, str>, payload: Json) -> Self {
        let content = Content {
            // Version 7 begins with the time, so new ids lie side by side in the index.
            event_id: Uuid::now_v7(),
            event_type: event_type.into(),
            event_version: 1,
            payload,
            metadata: None,
            trace_id: None,
            correlation_id: None,
            causation_id: None,
        };
        Self { content, created_at: None }
    }

    /// Sets the event's id. Default: a new UUIDv7.
    ///
    /// ```
    /// # use diesel_event_store::{NewEvent, uuid::Uuid};
    /// let id = Uuid::from_u128(7);
    /// assert_eq!(NewEvent::new("Imported", &())?.with_id(id).id(), id);
    /// # Ok::<(), diesel_event_store::InvalidInput>(())
    /// ```
    pub fn with_id(mut self, event_id: Uuid) -> Self {
        self.content.event_id = event_id;
        self
    }

    /// Sets the version of the payload's schema, 1 or more. Default: 1.
    ///
    /// ```
    /// # use diesel_event_store::NewEvent;
    /// let event = NewEvent::new("UserCreated", &())?.event_version(2);
    /// # Ok::<(), diesel_event_store::InvalidInput>(())
    /// ```
    pub fn event_version(mut self, event_version: i32) -> Self {
        self.content.event_version = event_version;
        self
    }

    /// Sets the metadata: facts about the event that are not part of what happened. Anything that serde can
    /// serialize. Default: none.
    ///
    /// # Errors
    ///
    /// As [`NewEvent::new`].
    ///
    /// ```
    /// # use diesel_event_store::NewEvent;
    /// let event = NewEvent::new("UserCreated", &())?.metadata(&serde_json::json!({ "ip": "::1" }))?;
    /// # Ok::<(), diesel_event_store::InvalidInput>(())
    /// ```
    pub fn metadata(mut self, metadata: &(impl Serialize + ?Sized)) -> Result<Self, InvalidInput> {
        self.content.metadata = Some(Json::from_value("metadata", metadata)?);
        Ok(self)
    }

    /// Sets metadata that is already JSON text; it is read back exactly as it is given here.
    ///
    /// # Errors
    ///
    /// As [`NewEvent::from_json`].
    ///
    /// ```
    /// # use diesel_event_store::NewEvent;
    /// let event = NewEvent::new("UserCreated", &())?.metadata_json(r#"{"ip": "::1"}"#)?;
    /// assert!(NewEvent::new("UserCreated", &())?.metadata_json("ip").is_err());
    /// # Ok::<(), diesel_event_store::InvalidInput>(())
    /// ```
    pub fn metadata_json(mut self, metadata: impl Into<Box<str>>) -> Result<Self, InvalidInput> {
        self.content.metadata = Some(Json::from_text("metadata", metadata)?);
        Ok(self)
    }

    /// Sets the id of the distributed trace that the event belongs to. Default: none.
    ///
    /// ```
    /// # use diesel_event_store::NewEvent;
    /// let event = NewEvent::new("UserCreated", &())?.trace_id("4bf92f3577b34da6a3ce929d0e0e4736");
    /// # Ok::<(), diesel_event_store::InvalidInput>(())
    /// ```
    pub fn trace_id(mut self, trace_id: impl ToString) -> Self {
        self.content.trace_id = Some(trace_id.to_string().into());
        self
    }

    /// Sets the id that all events of one business transaction share; the log can be
    /// [read by it](crate::LogQuery::correlation_id). Default: none.
    ///
    /// ```
    /// # use diesel_event_store::NewEvent;
    /// let event = NewEvent::new("UserCreated", &())?.correlation_id("request-4711");
    /// # Ok::<(), diesel_event_store::InvalidInput>(())
    /// ```
    pub fn correlation_id(mut self, correlation_id: impl ToString) -> Self {
        self.content.correlation_id = Some(correlation_id.to_string().into());
        self
    }

    /// Sets the id of the cause of the event: a command or another event. Default: none.
    ///
    /// ```
    /// # use diesel_event_store::NewEvent;
    /// let cause = NewEvent::new("UserCreated", &())?;
    /// let event = NewEvent::new("WelcomeSent", &())?.causation_id(cause.id());
    /// # Ok::<(), diesel_event_store::InvalidInput>(())
    /// ```
    pub fn causation_id(mut self, causation_id: impl ToString) -> Self {
        self.content.causation_id = Some(causation_id.to_string().into());
        self
    }

    /// Sets when the event happened, from the year 1000 to 9999: a time of any zone, or a `SystemTime`; it is
    /// stored in UTC. Default: the time of the append.
    ///
    /// It is stored to the microsecond: nanoseconds are cut off, and a leap second becomes the last
    /// microsecond before it. It does not decide the order of events; positions do.
    ///
    /// ```
    /// use chrono::DateTime;
    /// # use diesel_event_store::NewEvent;
    /// let time = DateTime::from_timestamp(1_286_004_039, 266_000_000).unwrap();
    /// let event = NewEvent::new("Imported", &())?.created_at(time);
    /// # Ok::<(), diesel_event_store::InvalidInput>(())
    /// ```
    pub fn created_at(mut self, created_at: impl Into<DateTime<Utc>>) -> Self {
        self.created_at = Some(timestamp::cut_to_micros(created_at.into()));
        self
    }

    /// The event's id.
    ///
    /// ```
    /// # use diesel_event_store::NewEvent;
    /// let event = NewEvent::new("UserCreated", &())?;
    /// assert_eq!(event.id().get_version_num(), 7);
    /// # Ok::<(), diesel_event_store::InvalidInput>(())
    /// ```
    pub fn id(&self) -> Uuid {
        self.content.event_id
    }

    /// The event's type.
    ///
    /// ```
    /// # use diesel_event_store::NewEvent;
    /// assert_eq!(NewEvent::new("UserCreated", &())?.event_type(), "UserCreated");
    /// # Ok::<(), diesel_event_store::InvalidInput>(())
    /// ```
    pub fn event_type(&self) -> &str {
        &self.content.event_type
    }

    /// The payload as JSON text, as it will be stored.
    ///
    /// ```
    /// # use diesel_event_store::NewEvent;
    /// assert_eq!(NewEvent::new("UserCreated", &())?.payload_json(), "null");
    /// # Ok::<(), diesel_event_store::InvalidInput>(())
    /// ```
    pub fn payload_json(&self) -> &str {
        self.content.payload.as_str()
    }

    /// The event as it would be read from the log, for tests of what reads events: nothing is written.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`]: what [`append`](crate::EventStore::append) would refuse, or a version below 1.
    ///
    /// ```
    /// # use diesel_event_store::{NewEvent, Position, StreamId};
    /// let order = StreamId::new("Order", "o-1")?;
    /// let recorded = NewEvent::new("OrderPaid", &())?.recorded(&order, 3, Position::new(7)?)?;
    /// assert_eq!((recorded.version(), recorded.position().get()), (3, 7));
    /// # Ok::<(), diesel_event_store::InvalidInput>(())
    /// ```
    pub fn recorded(
        self,
        stream: &StreamId,
        version: i64,
        position: Position,
    ) -> Result<RecordedEvent, InvalidInput> {
        self.validate(usize::MAX)?;
        if version < 1 {
            let problem = Problem::OutOfRange { value: version, lowest: 1, highest: i64::MAX };
            return Err(InvalidInput::new("version", problem));
        }
        Ok(self.record(stream, version, position, timestamp::now()))
    }

    pub(crate) fn validate(&self, max_json_bytes: usize) -> Result<(), InvalidInput> {
        let content = &self.content;
        check_name("event_type", &content.event_type)?;
        if content.event_version < 1 {
            let value = i64::from(content.event_version);
            let problem = Problem::OutOfRange { value, lowest: 1, highest: i64::from(i32::MAX) };
            return Err(InvalidInput::new("event_version", problem));
        }
        content.payload.check_size("payload", max_json_bytes)?;
        if let Some(metadata) = &content.metadata {
            metadata.check_size("metadata", max_json_bytes)?;
        }
        for (field, id) in [
            ("trace_id", &content.trace_id),
            ("correlation_id", &content.correlation_id),
            ("causation_id", &content.causation_id),
        ] {
            if let Some(id) = id {
                check_name(field, id)?;
            }
        }
        self.created_at.map_or(Ok(()), |time| timestamp::check_range("created_at", time))
    }

    /// The event as it is recorded here. If it has no time of its own, `now` is its time.
    pub(crate) fn record(
        self,
        stream: &StreamId,
        version: i64,
        position: Position,
        now: DateTime<Utc>,
    ) -> RecordedEvent {
        RecordedEvent {
            position,
            stream: stream.clone(),
            version,
            created_at: self.created_at.unwrap_or(now),
            content: self.content,
        }
    }
}

/// An event that is recorded, with its version in the stream and its position in the log. It never changes.
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::{EventStore, ExpectedVersion, NewEvent, StreamId};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct UserCreated {
///     email: String,
/// }
///
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// let store = EventStore::new();
/// let alice = StreamId::new("User", "alice")?;
/// let created = NewEvent::new("UserCreated", &UserCreated { email: "alice@example.com".into() })?
///     .metadata(&"by hand")?
///     .correlation_id("request-4711");
/// let id = created.id();
/// store.append(&mut conn, &alice, ExpectedVersion::NoStream, &[created])?;
///
/// let event = store.read_event(&mut conn, id)?.expect("it was just appended");
/// assert_eq!(event.position().get(), 1);
/// assert_eq!(event.version(), 1);
/// assert_eq!(event.stream(), &alice);
/// assert_eq!((event.aggregate_type(), event.aggregate_id()), ("User", "alice"));
/// assert_eq!(event.tenant_id(), None);
/// assert_eq!(event.id(), id);
/// assert_eq!((event.event_type(), event.event_version()), ("UserCreated", 1));
/// assert_eq!(event.payload::<UserCreated>()?.email, "alice@example.com");
/// assert_eq!(event.payload_json(), r#"{"email":"alice@example.com"}"#);
/// assert_eq!(event.metadata::<&str>()?, Some("by hand"));
/// assert_eq!(event.metadata_json(), Some(r#""by hand""#));
/// assert_eq!(event.trace_id(), None);
/// assert_eq!(event.correlation_id(), Some("request-4711"));
/// assert_eq!(event.causation_id(), None);
/// assert!(event.created_at() <= chrono::Utc::now());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedEvent {
    pub(crate) position: Position,
    pub(crate) stream: StreamId,
    pub(crate) version: i64,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) content: Content,
}

impl RecordedEvent {
    /// The size of payload and metadata.
    pub(crate) fn bytes(&self) -> usize {
        let Content { payload, metadata, .. } = &self.content;
        payload.as_str().len() + metadata.as_ref().map_or(0, |metadata| metadata.as_str().len())
    }

    /// Its place in the whole log. It grows from event to event; on some databases it has gaps.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Its number within the stream: 1, 2, 3 … without gaps.
    pub fn version(&self) -> i64 {
        self.version
    }

    /// The stream it belongs to.
    pub fn stream(&self) -> &StreamId {
        &self.stream
    }

    /// The tenant that its aggregate belongs to; `None` if it belongs to none.
    pub fn tenant_id(&self) -> Option<&str> {
        self.stream.tenant_id()
    }

    /// The type of its aggregate.
    pub fn aggregate_type(&self) -> &str {
        self.stream.aggregate_type()
    }

    /// The id of its aggregate.
    pub fn aggregate_id(&self) -> &str {
        self.stream.aggregate_id()
    }

    /// Its id, unique in the whole log.
    pub fn id(&self) -> Uuid {
        self.content.event_id
    }

    /// Its type.
    pub fn event_type(&self) -> &str {
        &self.content.event_type
    }

    /// The version of its payload's schema.
    pub fn event_version(&self) -> i32 {
        self.content.event_version
    }

    /// The payload, as the JSON text that was appended.
    pub fn payload_json(&self) -> &str {
        self.content.payload.as_str()
    }

    /// The metadata, as the JSON text that was appended; `None` if the event has none.
    pub fn metadata_json(&self) -> Option<&str> {
        self.content.metadata.as_ref().map(Json::as_str)
    }

    /// The id of the distributed trace that it belongs to.
    pub fn trace_id(&self) -> Option<&str> {
        self.content.trace_id.as_deref()
    }

    /// The id that all events of its business transaction share.
    pub fn correlation_id(&self) -> Option<&str> {
        self.content.correlation_id.as_deref()
    }

    /// The id of its cause: a command or another event.
    pub fn causation_id(&self) -> Option<&str> {
        self.content.causation_id.as_deref()
    }

    /// When it happened, to the microsecond.
    pub fn created_at(&self) -> DateTime<Utc> {
        self.created_at
    }

    /// Decodes the payload as the application's own type, which may borrow from the event.
    ///
    /// # Errors
    ///
    /// [`DecodeError`], which names the event, if the payload does not fit the type.
    pub fn payload<'a, T: Deserialize<'a>>(&'a self) -> Result<T, DecodeError> {
        self.decode("payload", &self.content.payload)
    }

    /// Decodes the metadata as the application's own type; `None` if the event has none.
    ///
    /// # Errors
    ///
    /// [`DecodeError`], which names the event, if the metadata does not fit the type.
    pub fn metadata<'a, T: Deserialize<'a>>(&'a self) -> Result<Option<T>, DecodeError> {
        self.content.metadata.as_ref().map(|json| self.decode("metadata", json)).transpose()
    }

    fn decode<'a, T: Deserialize<'a>>(&self, field: &'static str, json: &'a Json) -> Result<T, DecodeError> {
        json.decode().map_err(|error| self.undecodable(field, error))
    }

    pub(crate) fn undecodable(&self, field: &'static str, error: serde_json::Error) -> DecodeError {
        DecodeError {
            field,
            event_type: self.event_type().into(),
            stream: self.stream.clone(),
            version: self.version,
            position: self.position,
            cause: error.into(),
        }
    }
}
