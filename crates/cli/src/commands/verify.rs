use std::ops::RangeInclusive;

use diesel_event_store::{Position, operate};
use serde_json::json;

use crate::database::Database;
use crate::failure::{Failure, Result};
use crate::line::Line;
use crate::output::{Output, counted, number};

pub fn verify(conn: &mut Database, output: &mut Output) -> Result {
    let verified = operate::verify(conn)?;
    for finding in verified.findings() {
        let finding = finding.to_string();
        output.answer(&json!({ "finding": finding }), Line::default().found(&finding))?;
    }
    if verified.archived() > 0 {
        let (archived, ranges) = (verified.archived(), verified.archived_ranges());
        let pairs: Vec<_> = ranges.iter().map(|range| [range.start().get(), range.end().get()]).collect();
        let object = json!({ "archived": archived, "ranges": pairs });
        let places = ranges.iter().map(shown_range).collect::<Vec<_>>().join(", ");
        let text = format!("{} archived, which cannot be shown: at {places}", counted(archived, "event"));
        output.answer(&object, text)?;
    }
    let (events, streams) = (verified.events(), verified.streams());
    let object = json!({
        "events": events, "streams": streams, "begin_later": verified.begin_later(),
        "archived": verified.archived(), "seals": verified.seals(),
        "last_position": verified.last_position().get(),
        "is_sound": verified.is_sound(),
    });
    let end = number(verified.last_position().get());
    let read = format!("{} of {} to position {end}", counted(events, "event"), counted(streams, "stream"));
    let read = match verified.seals() {
        0 => read,
        1 => format!("{read}, 1 seal"),
        seals => format!("{read}, {} seals", number(seals)),
    };
    output.answer(&object, if verified.is_sound() { format!("{read}: all agree") } else { read })?;
    match verified.findings().len() as u64 + verified.more() {
        0 => Ok(()),
        1 => Err(Failure::Found("1 finding".to_owned())),
        found => Err(Failure::Found(format!("{} findings", number(found)))),
    }
}

fn shown_range(range: &RangeInclusive<Position>) -> String {
    let (first, last) = (number(range.start().get()), number(range.end().get()));
    if range.start() == range.end() { first } else { format!("{first} to {last}") }
}
