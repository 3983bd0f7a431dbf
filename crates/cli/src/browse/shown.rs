use std::ops::Deref;

use diesel_event_store::RecordedEvent;

use super::links;
use crate::commands::events::time;
use crate::output::number;
use crate::pretty::pretty;

/// How much of a payload stands in a list.
const SUMMARY: usize = 160;
/// How much of it stands in a timeline, where the event's own page has the rest.
const PART: usize = 20_000;

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

    pub fn payload(&self) -> String {
        pretty(self.payload_json())
    }

    pub fn part_of_payload(&self) -> String {
        cut(&self.payload(), PART)
    }

    pub fn metadata(&self) -> Option<String> {
        self.metadata_json().map(pretty)
    }
}

impl Deref for Shown {
    type Target = RecordedEvent;

    fn deref(&self) -> &RecordedEvent {
        &self.0
    }
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text.to_owned(),
    }
}
