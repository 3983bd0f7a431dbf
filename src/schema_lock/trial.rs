use std::any::Any;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::{Number, Value};

use super::content::Content;
use super::contents::contents;
use super::fields::{Part, fields, values};
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
    Unreadable { content: String, error: String },
    /// It is read without what is at this place.
    Dropped { content: String, place: String },
    /// The number at this place is read as another.
    Narrowed { content: String, place: String, read: Value },
}

/// One enum, and the name and version of the events that it is to read.
pub(super) struct Trial<'a> {
    pub(super) shapes: &'a Shapes,
    pub(super) name: &'a str,
    pub(super) version: i32,
}

/// The fields that are not declared any more, by the names that lead to them.
#[derive(Default)]
struct Seen {
    /// Those that make a difference in some content: in another they may have their default.
    read: BTreeSet<Vec<String>>,
    /// Those that made none, and how.
    unread: Vec<(Vec<String>, Trouble)>,
}

impl Seen {
    fn note(&mut self, field: &Part<'_>, content: &Content, is_read: bool) {
        let names = field.names.iter().map(ToString::to_string).collect();
        if is_read {
            self.read.insert(names);
        } else {
            self.unread.push((names, Trouble::Dropped { content: content.json(), place: field.pointer() }));
        }
    }

    fn dropped(self) -> Option<Trouble> {
        let Self { read, unread } = self;
        unread.into_iter().find(|(field, _)| !read.contains(field)).map(|(_, dropped)| dropped)
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
            .find_map(|content| self.trouble(schema, &content, &mut seen));
        trouble.or_else(|| seen.dropped())
    }

    fn trouble(&self, schema: &Value, content: &Content, seen: &mut Seen) -> Option<Trouble> {
        let error = match self.read(content) {
            Ok(None) => return None,
            Ok(Some(written)) => return self.lost(schema, content, &written, seen),
            // An upcast may refuse a number that no application has ever recorded.
            Err(Unread::ByUpcast(_)) if content.extreme.is_some() => return None,
            Err(Unread::ByUpcast(error) | Unread::Otherwise(error)) => error,
        };
        // So may a type, as that of a time does. It has never been read, if the type is still the same.
        if content.extreme.as_ref().is_some_and(|extreme| self.is_unchanged(schema, &extreme.place)) {
            return None;
        }
        Some(Trouble::Unreadable { content: content.json(), error })
    }

    /// A number that has become another, or something that has become `null`. Of the fields that are not
    /// declared any more it takes note whether they are read, as one with an alias is.
    ///
    /// Only of the version that is written: an upcast leaves out what it means to.
    fn lost(
        &self,
        locked: &Value,
        content: &Content,
        written: &NewEvent,
        seen: &mut Seen,
    ) -> Option<Trouble> {
        let schema = self.schema_of(written.event_type())?;
        let again = json(written);
        let mut parts = values(&content.value).into_iter();
        if let Some(trouble) = parts.find_map(|part| self.changed(locked, content, &part, &again)) {
            return Some(trouble);
        }
        for field in fields(&content.value) {
            if !Node::root(schema).declares(&field.place) {
                let without = self.read(&content.with(field.removed_from(&content.value)));
                let is_read = !matches!(without, Ok(Some(without)) if json(&without) == again);
                seen.note(&field, content, is_read);
            }
        }
        None
    }

    /// Some types change numbers that their schemas allow, as that of a duration does, and are still the same.
    fn changed(&self, locked: &Value, content: &Content, part: &Part<'_>, again: &Value) -> Option<Trouble> {
        let place = part.pointer();
        let (read, content) = (again.pointer(&place)?.clone(), || content.json());
        match (part.value, &read) {
            (Value::Null, _) => None,
            (Value::Number(_), Value::Null) => Some(Trouble::Narrowed { content: content(), place, read }),
            (_, Value::Null) => Some(Trouble::Dropped { content: content(), place }),
            (number, other) if is_other_number(number, other) && !self.is_unchanged(locked, &part.place) => {
                Some(Trouble::Narrowed { content: content(), place, read })
            }
            _ => None,
        }
    }

    /// What is written now under this name, if it is of the version that was read.
    fn schema_of(&self, name: &str) -> Option<&Value> {
        self.shapes.shapes.iter().find(|shape| shape.is_of(name, self.version)).map(Shape::schema)
    }

    /// Whether the newest version says the same about this place as this schema does.
    fn is_unchanged(&self, schema: &Value, place: &[String]) -> bool {
        let newest = self.shapes.shapes.iter().find(|shape| shape.reads(self.name));
        newest.is_some_and(|newest| {
            let now = Node::root(newest.schema()).schemas_at(place);
            let before = Node::root(schema).schemas_at(place);
            !before.is_empty() && before.iter().all(|said| now.contains(said))
        })
    }

    /// What would be written now; `None` if the event is ignored, or split.
    fn read(&self, content: &Content) -> Result<Option<NewEvent>, Unread> {
        let recorded = self
            .recorded(content)
            .map_err(|error| Unread::Otherwise(format!("it cannot be stored: {error}")))?;
        match catch_unwind(AssertUnwindSafe(|| (self.shapes.read)(&recorded))) {
            Ok(outcome) => outcome.map_err(Unread::from),
            Err(panic) => Err(Unread::ByUpcast(format!("it panics: {}", said(&*panic)))),
        }
    }

    fn recorded(&self, content: &Content) -> Result<RecordedEvent, InvalidInput> {
        let event = NewEvent::from_json(self.name.to_owned(), content.json())?.event_version(self.version);
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
