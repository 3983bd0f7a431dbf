use diesel_event_store::{EventStore, Repaired};
use serde_json::json;

use crate::confirm::confirm;
use crate::database::Database;
use crate::failure::Result;
use crate::output::{Output, counted, number};
use crate::secrets::shown;

pub fn repair(conn: &mut Database, url: &str, yes: bool, output: &mut Output) -> Result {
    let would = format!(
        "the heads of streams in {}, and what counts positions, would be set from the events; appends wait \
         meanwhile, and no event is changed",
        shown(url)
    );
    confirm(yes, &would)?;
    let repaired = EventStore::new().repair(conn)?;
    let object = json!({
        "heads": repaired.heads(), "counted": repaired.counted().map(|position| position.get()),
        "published": repaired.published().map(|position| position.get()),
    });
    output.answer(&object, said(&repaired))
}

fn said(repaired: &Repaired) -> String {
    let mut parts = Vec::new();
    if repaired.heads() > 0 {
        parts.push(format!("{} set", counted(repaired.heads(), "head")));
    }
    if let Some(position) = repaired.counted() {
        parts.push(format!("the next event goes above position {}", number(position.get())));
    }
    if let Some(position) = repaired.published() {
        parts.push(format!("position {} is published", number(position.get())));
    }
    if parts.is_empty() { "everything agreed with the events".to_owned() } else { parts.join("; ") }
}
