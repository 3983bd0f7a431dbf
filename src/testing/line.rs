use crate::event::Event;
use crate::model::event::NewEvent;

/// What is stored of an event, in one line.
pub(super) fn line(event: &NewEvent) -> String {
    format!("{} version {} {}", event.event_type(), event.content.event_version, event.payload_json())
}

/// The lines of typed events.
///
/// # Panics
///
/// If one of them cannot be stored.
#[track_caller]
pub(super) fn lines<E: Event>(what: &str, events: impl IntoIterator<Item = E>) -> Vec<String> {
    let stored = |(nth, event): (usize, E)| match event.to_new() {
        Ok(new) => line(&new),
        Err(invalid) => panic!("{what} event {} cannot be stored: {invalid}", nth + 1),
    };
    events.into_iter().enumerate().map(stored).collect()
}
