use diesel_event_store::transfer::{self, ImportError, Imported};
use serde_json::json;

use super::files::{PIPE, open, rewound, spooled};
use crate::database::Database;
use crate::failure::{Failure, Result};
use crate::output::{Output, number};

pub fn import(conn: &mut Database, file: &str, output: &mut Output) -> Result {
    let imported = match file {
        PIPE => {
            let spooled = spooled()?;
            transfer::import(conn, || rewound(&spooled))
        }
        file => transfer::import(conn, || open(file)),
    };
    say(&imported.map_err(explained)?, output)
}

/// What to type then.
fn explained(error: ImportError) -> Failure {
    let (code, advice) = match &error {
        ImportError::File { .. } => return Failure::new("file", format!("{error}; nothing imported")),
        ImportError::OtherEvent { .. } => {
            return Failure::new("other_event", format!("{error}; nothing imported"));
        }
        ImportError::OtherImport { .. } => ("other_import", "diesel-event-store import --discard --yes"),
        ImportError::Differs { .. } => ("differs", "diesel-event-store import --discard --yes"),
        ImportError::Occupied { .. } => ("occupied", "diesel-event-store projections"),
        _ => return error.into(),
    };
    Failure::new(code, error).advice(advice)
}

fn say(imported: &Imported, output: &mut Output) -> Result {
    let object = json!({
        "log_id": imported.log_id().to_string(), "events": imported.events(), "skipped": imported.skipped(),
        "last_position": imported.last_position().get(),
    });
    let skipped = match imported.skipped() {
        0 => String::new(),
        skipped => format!(", {} were there already", number(skipped)),
    };
    let end = number(imported.last_position().get());
    output
        .answer(&object, format!("{} events imported{skipped}; to position {end}", number(imported.events())))
}

pub fn discard(conn: &mut Database, output: &mut Output) -> Result {
    let text = match transfer::discard(conn)? {
        true => "the import is taken back; the store is empty",
        false => "no import is under way",
    };
    output.answer(&json!({ "done": text }), text)
}
