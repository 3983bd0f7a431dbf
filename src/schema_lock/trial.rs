use std::any::Any;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::{Number, Value};

use super::content::Content;
use super::contents::contents;
use super::fields::{fields, values};
use super::node::Node;
use super::shape::Shape;
use super::shapes::Shapes;
use crate::event::{EventError, EventProblem};
use crate::model::event::{NewEvent, RecordedEvent};
use crate::model::invalid::InvalidInput;
use crate::model::position::Position;
use crate::model::stream_id::StreamId;

/// What today's code does with content that may have been recorded.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It cannot be read.
    Unreadable { content: Value, error: String },
    /// It is read without this field.
    Dropped { content: Value, field: String },
    /// The number in this field is read as another.
    Narrowed { content: Value, field: String, read: Value },
}

/// One enum, and the name and version of the events that it is to read.
pub(super) struct Trial<'a> {
    pub(super) shapes: &'a Shapes,
    pub(super) name: &'a str,
    pub(super) version: i32,
}

/// The fields that are not declared any more.
#[derive(Default)]
struct Seen {
    /// Those that make a difference in some content: in another they may have their default.
    read: BTreeSet<String>,
    /// Those that made none, and in which content.
    unread: Vec<(String, Value)>,
}

impl Seen {
    fn note(&mut self, field: String, content: &Value, is_read: bool) {
        if is_read {
            self.read.insert(field);
        } else if !self.unread.iter().any(|(known, _)| *known == field) {
            self.unread.push((field, content.clone()));
        }
    }

    fn dropped(self) -> Option<Trouble> {
        let Self { read, unread } = self;
        let (field, content) = unread.into_iter().find(|(field, _)| !read.contains(field))?;
        Some(Trouble::Dropped { content, field })
    }
}

/// Why an event cannot be read.
enum Unread {
    /// An upcast refuses it, or panics.
    ByUpcast(String),
    Otherwise(String),
}

impl Trial<'_> {
    /// The first trouble with contents of this schema.
    pub(super) fn of(&self, schema: &Value) -> Option<Trouble> {
        let samples = self.shapes.samples_of(self.name, self.version);
        let mut seen = Seen::default();
        let trouble = contents(schema, &samples)
            .into_iter()
            .find_map(|content| self.trouble(schema, content, &mut seen));
        trouble.or_else(|| seen.dropped())
    }

    fn trouble(
        &self,
        schema: &Value,
        Content { value, extreme }: Content,
        seen: &mut Seen,
    ) -> Option<Trouble> {
        let error = match self.read(&value) {
            Ok(None) => return None,
            Ok(Some(written)) => return self.lost(schema, value, &written, seen),
            // An upcast may refuse a number that no application has ever recorded.
            Err(Unread::ByUpcast(_)) if extreme.is_some() => return None,
            Err(Unread::ByUpcast(error) | Unread::Otherwise(error)) => error,
        };
        // So may a type, as that of a time does. It has never been read, if the type is still the same.
        if extreme.is_some_and(|place| self.is_unchanged(schema, &place)) {
            return None;
        }
        Some(Trouble::Unreadable { content: value, error })
    }

    /// A number that has become another, or a field that has become `null`. Of those that are not declared any
    /// more it takes note whether they are read, as one with an alias is.
    ///
    /// Only of the version that is written: an upcast leaves out what it means to.
    fn lost(&self, locked: &Value, content: Value, written: &NewEvent, seen: &mut Seen) -> Option<Trouble> {
        let schema = self.schema_of(written.event_type())?;
        let again = json(written);
        if let Some(trouble) = self.narrowed(locked, &content, &again) {
            return Some(trouble);
        }
        for field in fields(&content) {
            let pointer = field.pointer();
            if again.pointer(&pointer) == Some(&Value::Null) && !field.value.is_null() {
                return Some(Trouble::Dropped { content: content.clone(), field: pointer });
            }
            if !Node::root(schema).declares(&field.place) {
                let without = self.read(&field.removed_from(&content));
                let is_read = !matches!(without, Ok(Some(without)) if json(&without) == again);
                seen.note(pointer, &content, is_read);
            }
        }
        None
    }

    /// Some types change what their schemas allow, as that of a duration does, and are still the same.
    fn narrowed(&self, locked: &Value, content: &Value, again: &Value) -> Option<Trouble> {
        values(content).into_iter().find_map(|number| {
            let field = number.pointer();
            let read = again.pointer(&field).filter(|read| is_other_number(number.value, read))?.clone();
            let content = content.clone();
            (!self.is_unchanged(locked, &number.place)).then_some(Trouble::Narrowed { content, field, read })
        })
    }

    /// What is written now under this name, if it is of the version that was read.
    fn schema_of(&self, name: &str) -> Option<&Value> {
        self.shapes.shapes.iter().find(|shape| shape.is_of(name, self.version)).map(Shape::schema)
    }

    /// Whether the newest version says the same about this place as this schema does.
    fn is_unchanged(&self, schema: &Value, place: &[impl AsRef<str>]) -> bool {
        let place: Vec<&str> = place.iter().map(AsRef::as_ref).collect();
        let newest = self.shapes.shapes.iter().find(|shape| shape.event_type().name() == self.name);
        newest.is_some_and(|newest| {
            let now = Node::root(newest.schema()).schemas_at(&place);
            let before = Node::root(schema).schemas_at(&place);
            !before.is_empty() && before.iter().all(|said| now.contains(said))
        })
    }

    /// What would be written now; `None` if the event is ignored, or split.
    fn read(&self, content: &Value) -> Result<Option<NewEvent>, Unread> {
        let recorded = self
            .recorded(content)
            .map_err(|error| Unread::Otherwise(format!("it cannot be stored: {error}")))?;
        match catch_unwind(AssertUnwindSafe(|| (self.shapes.read)(&recorded))) {
            Ok(outcome) => outcome.map_err(Unread::from),
            Err(panic) => Err(Unread::ByUpcast(format!("it panics: {}", said(&*panic)))),
        }
    }

    fn recorded(&self, content: &Value) -> Result<RecordedEvent, InvalidInput> {
        let event = NewEvent::new(self.name.to_owned(), content)?.event_version(self.version);
        event.recorded(&StreamId::new("SchemaLock", "1")?, 1, Position::new(1)?)
    }
}

impl From<EventError> for Unread {
    fn from(error: EventError) -> Self {
        let text = error.problem().to_string();
        match error.problem() {
            EventProblem::Upcast { .. } => Self::ByUpcast(text),
            _ => Self::Otherwise(text),
        }
    }
}

/// As mathematics sees it: 5 and 5.0 are the same.
fn is_other_number(one: &Value, other: &Value) -> bool {
    let (Value::Number(one), Value::Number(other)) = (one, other) else { return false };
    match (whole(one), whole(other)) {
        (Some(one), Some(other)) => one != other,
        (None, None) => one.as_f64() != other.as_f64(),
        (Some(whole), None) => !is_whole(other, whole),
        (None, Some(whole)) => !is_whole(one, whole),
    }
}

fn whole(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}

fn is_whole(number: &Number, whole: i128) -> bool {
    number.as_f64().is_some_and(|number| number.fract() == 0.0 && number as i128 == whole)
}

fn json(event: &NewEvent) -> Value {
    serde_json::from_str(event.payload_json()).unwrap_or_default()
}

fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a text")
}
