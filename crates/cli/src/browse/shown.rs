use std::ops::Deref;

use diesel_event_store::RecordedEvent;

use super::links;
use crate::commands::events::time;
use crate::output::number;
use crate::pretty::{Indented, pretty};

/// How much of a payload stands in a list.
const SUMMARY: usize = 160;
/// How much of it stands in a timeline, in bytes with indents. The event's own page has more.
const PART: usize = 20_000;
/// How much of it stands there. With more, browsers are slow; there is a file of all of it.
const MOST: usize = 256 << 10;

/// An event as templates show it.
pub struct Shown(RecordedEvent);

impl Shown {
    pub fn all(events: impl IntoIterator<Item = RecordedEvent>) -> Vec<Self> {
        events.into_iter().map(Self).collect()
    }

    pub fn one(event: RecordedEvent) -> Self {
        Self(event)
    }

    pub fn link(&self) -> String {
        links::event(self.id())
    }

    pub fn stream_link(&self) -> String {
        links::stream(self.stream())
    }

    pub fn trace_link(&self) -> Option<String> {
        self.correlation_id().map(links::trace)
    }

    pub fn place(&self) -> String {
        number(self.position().get())
    }

    /// For programs; the script writes it in local time.
    pub fn time(&self) -> String {
        time(&self.0)
    }

    /// For people.
    pub fn utc(&self) -> String {
        self.created_at().format("%Y-%m-%d %H:%M:%S%.3f UTC").to_string()
    }

    pub fn summary(&self) -> String {
        cut(self.payload_json(), SUMMARY)
    }

    pub fn payload(&self) -> Indented {
        pretty(self.payload_json(), MOST)
    }

    pub fn part_of_payload(&self) -> Indented {
        pretty(self.payload_json(), PART)
    }

    pub fn payload_link(&self) -> String {
        links::payload(self.id())
    }

    pub fn metadata(&self) -> Option<Indented> {
        self.metadata_json().map(|metadata| pretty(metadata, MOST))
    }
}

impl Deref for Shown {
    type Target = RecordedEvent;

    fn deref(&self) -> &RecordedEvent {
        &self.0
    }
}

/// At most so many characters of it, and a sign that there are more.
pub fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text.to_owned(),
    }
}
