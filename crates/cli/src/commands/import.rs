use std::io::{self, BufRead, BufWriter, Write};

use diesel_event_store::EventStore;
use diesel_event_store::transfer::{self, ImportError, Imported};
use serde_json::json;

use super::files::{PIPE, of_file, open, rewound, spooled};
use super::part_file::{PartFile, is_there};
use crate::confirm::confirm;
use crate::database::Database;
use crate::failure::{Failure, Result};
use crate::interrupt;
use crate::output::{Output, counted, number};
use crate::secrets::shown;

/// What is wanted of an import.
pub struct Asked<'a> {
    pub file: &'a str,
    /// Whether the file has no export, but events that no store has recorded.
    pub is_new: bool,
    /// Where the positions of the events are written, the old and the new ones.
    pub map: Option<&'a str>,
    pub yes: bool,
}

pub fn import(conn: &mut Database, asked: &Asked<'_>, output: &mut Output) -> Result {
    if let Some(map) = asked.map {
        if is_there(map)? {
            confirm(asked.yes, &format!("{map} would be replaced"))?;
        }
    }
    interrupt::listen()?;
    let is_quiet = output.is_json;
    let imported = match asked.file {
        PIPE => {
            let spooled = spooled()?;
            asked.bring(conn, || rewound(&spooled, is_quiet))
        }
        file => asked.bring(conn, || open(file, is_quiet)),
    }?;
    say(&imported, output)
}

impl Asked<'_> {
    fn bring<R: BufRead>(
        &self,
        conn: &mut Database,
        mut open: impl FnMut() -> io::Result<R>,
    ) -> Result<Imported> {
        let imported = match self.is_new {
            true => transfer::import_new(conn, &mut open),
            false => transfer::import(conn, &mut open),
        };
        let imported = imported.map_err(|error| explained(conn, error))?;
        if let Some(map) = self.map {
            write_map(conn, open()?, map).map_err(|error| explained(conn, error))?;
        }
        Ok(imported)
    }
}

fn write_map<R: BufRead>(conn: &mut Database, input: R, name: &str) -> Result<(), ImportError> {
    let mut map = BufWriter::new(PartFile::create(name).map_err(ImportError::Visit)?);
    transfer::imported_positions(conn, input, |from, to| {
        writeln!(map, r#"{{"from":{from},"to":{to}}}"#).map_err(|error| of_file(name, &error))
    })?;
    let written = map.into_inner().map_err(|error| of_file(name, error.error()));
    written.and_then(PartFile::replace).map_err(ImportError::Visit)
}

/// What to type then.
fn explained(conn: &mut Database, error: ImportError) -> Failure {
    let (code, advice) = match &error {
        error if interrupt::is_wanted() && ended_reading(error) => return interrupted(conn),
        ImportError::File { .. } => return refused(conn, "file", &error),
        ImportError::OtherEvent { .. } => return refused(conn, "other_event", &error),
        ImportError::Partly { .. } => ("partly", "run it again: what is there is skipped"),
        ImportError::OtherImport { .. } => ("other_import", "diesel-event-store import --discard --yes"),
        ImportError::Differs { .. } => ("differs", "diesel-event-store import --discard --yes"),
        ImportError::HadEvents => (
            "had_events",
            "run the copy again; or, if its source is lost: diesel-event-store unfreeze --source-is-lost",
        ),
        ImportError::Occupied { .. } => ("occupied", "diesel-event-store projections"),
        _ => return error.into(),
    };
    Failure::new(code, error).advice(advice)
}

/// Whether it ended because the file could be read no further.
fn ended_reading(error: &ImportError) -> bool {
    match error {
        ImportError::Partly { error, .. } => ended_reading(error),
        error => matches!(error, ImportError::Read(_)),
    }
}

/// A file that was changed while it was imported has filled the log in part.
fn refused(conn: &mut Database, code: &'static str, error: &ImportError) -> Failure {
    match is_closed(conn) {
        true => {
            let message = format!("{error}; the log stays closed until an import has come to its end");
            Failure::new(code, message).advice("diesel-event-store import --discard --yes")
        }
        false => Failure::new(code, format!("{error}; nothing imported")),
    }
}

fn is_closed(conn: &mut Database) -> bool {
    EventStore::new().log_closed(conn).is_ok_and(|closed| closed.is_some())
}

fn interrupted(conn: &mut Database) -> Failure {
    let (message, advice) = match is_closed(conn) {
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
        skipped => format!(", {} there already", number(skipped)),
    };
    let end = number(imported.last_position().get());
    output.answer(
        &object,
        format!("{} imported{skipped}; to position {end}", counted(imported.events(), "event")),
    )
}

pub fn discard(conn: &mut Database, url: &str, yes: bool, output: &mut Output) -> Result {
    let would = format!(
        "every event that an import or a copy has brought to {} without coming to its end would be removed; \
         the store would be open and empty",
        shown(url)
    );
    confirm(yes, &would)?;
    let text = match transfer::discard(conn).map_err(|error| explained(conn, error))? {
        true => "the import is taken back; the store is empty",
        false => "no import is under way",
    };
    output.answer(&json!({ "done": text }), text)
}
