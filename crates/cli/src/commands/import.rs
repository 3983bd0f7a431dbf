use std::io::{self, BufRead};

use diesel_event_store::EventStore;
use diesel_event_store::transfer::{self, ImportError, Imported};
use serde_json::json;

use super::files::{PIPE, open, rewound, spooled};
use crate::database::Database;
use crate::failure::{Failure, Result};
use crate::interrupt;
use crate::output::{Output, number};

/// What an export has written, or events that are new.
pub fn import(conn: &mut Database, file: &str, is_new: bool, output: &mut Output) -> Result {
    interrupt::listen()?;
    let is_quiet = output.is_json;
    let imported = match file {
        PIPE => {
            let spooled = spooled()?;
            bring(conn, is_new, || rewound(&spooled, is_quiet))
        }
        file => bring(conn, is_new, || open(file, is_quiet)),
    };
    say(&imported.map_err(|error| explained(conn, error))?, output)
}

fn bring<R: BufRead>(
    conn: &mut Database,
    is_new: bool,
    open: impl FnMut() -> io::Result<R>,
) -> Result<Imported, ImportError> {
    if is_new { transfer::import_new(conn, open) } else { transfer::import(conn, open) }
}

/// What to type then.
fn explained(conn: &mut Database, error: ImportError) -> Failure {
    let (code, advice) = match &error {
        ImportError::Read(_) if interrupt::is_wanted() => return interrupted(conn),
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

fn interrupted(conn: &mut Database) -> Failure {
    let is_closed = EventStore::new().log_closed(conn).is_ok_and(|closed| closed.is_some());
    let (message, advice) = match is_closed {
        true => (
            "interrupted after a batch; the log stays closed until the import has come to its end",
            "run it again: it goes on there; or empty it: diesel-event-store import --discard --yes",
        ),
        false => ("interrupted", "run it again: what is there is skipped"),
    };
    Failure::Interrupted { message: message.to_owned(), advice: advice.to_owned() }
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
