use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

use super::sorted::sorted;
use crate::event::EventType;

/// What one event is stored as: its name, its version, and the JSON schema of its content.
///
/// ```
/// use diesel_event_store::EventType;
/// use diesel_event_store::schema_lock::Shape;
///
/// let counted = Shape::of::<u32>(EventType::new("Counted", 1));
/// assert_eq!(counted.schema()["type"], "integer");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    event_type: EventType,
    aliases: Vec<&'static str>,
    schema: Value,
}

impl Shape {
    /// The shape of an event with this content, as serde serializes it.
    pub fn of<T: JsonSchema>(event_type: EventType) -> Self {
        Self::new(event_type, schema_of::<T>())
    }

    /// The shape of an event without content, which is stored as `{}`.
    ///
    /// ```
    /// use diesel_event_store::EventType;
    /// use diesel_event_store::schema_lock::Shape;
    ///
    /// let paid = Shape::without_content(EventType::new("OrderPaid", 1));
    /// assert_eq!(paid.event_type().name(), "OrderPaid");
    /// ```
    pub fn without_content(event_type: EventType) -> Self {
        Self::new(event_type, json!({ "type": "object" }))
    }

    fn new(event_type: EventType, schema: Value) -> Self {
        Self { event_type, aliases: Vec::new(), schema }
    }

    /// Another name that is read as this event, and not written.
    ///
    /// ```
    /// use diesel_event_store::EventType;
    /// use diesel_event_store::schema_lock::Shape;
    ///
    /// let settled = Shape::without_content(EventType::new("OrderSettled", 1)).alias("OrderPaid");
    /// assert_eq!(settled.event_type().name(), "OrderSettled");
    /// ```
    pub fn alias(mut self, name: &'static str) -> Self {
        self.aliases.push(name);
        self
    }

    /// The stored name, and the version that is written.
    pub fn event_type(&self) -> EventType {
        self.event_type
    }

    /// Whether events of this name are read as this one, in whatever version.
    pub(super) fn reads(&self, name: &str) -> bool {
        self.event_type.name() == name || self.aliases.contains(&name)
    }

    pub(super) fn is_of(&self, name: &str, version: i32) -> bool {
        (self.event_type.name(), self.event_type.version()) == (name, version)
    }

    /// The JSON schema, sorted, and without descriptions, titles and defaults, which say nothing about the
    /// form.
    pub fn schema(&self) -> &Value {
        &self.schema
    }
}

/// Types are written out where they are used, so that their Rust names do not matter. Only a type that
/// contains itself is named.
pub(super) fn schema_of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize().with(|settings| {
        settings.meta_schema = None;
        settings.inline_subschemas = true;
    });
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    RecursiveTransform(remove_annotations).transform(&mut schema);
    sorted(schema.to_value())
}

fn remove_annotations(schema: &mut Schema) {
    for annotation in ["title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly"] {
        schema.remove(annotation);
    }
}
