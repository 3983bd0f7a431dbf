//! Keeps what it is told, as text.

use std::cell::RefCell;
use std::fmt::{Debug, Write};
use std::mem;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

thread_local! {
    /// That this thread is in. There is one kind of them, which is entered as soon as it is made.
    static SPAN: RefCell<Option<String>> = const { RefCell::new(None) };
}

#[derive(Clone, Default)]
pub struct Kept(Arc<Mutex<Vec<String>>>);

impl Kept {
    pub fn take(&self) -> Vec<String> {
        mem::take(&mut self.0.lock().unwrap())
    }

    pub fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Subscriber for Kept {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "diesel_event_store"
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        SPAN.with_borrow(|span| line.0.extend(span.iter().map(|span| format!(" in {span}:"))));
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut span = Line(attributes.metadata().name().to_owned());
        attributes.record(&mut span);
        SPAN.set(Some(span.0));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {
        SPAN.set(None);
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}
