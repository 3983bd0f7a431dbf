use std::io::{self, IsTerminal};

use diesel_event_store::EventStore;
use diesel_event_store::transfer::{self, ExportError, Exported};
use serde_json::json;

use super::files::PIPE;
use super::in_the_way::in_the_way;
use super::part_file::{PartFile, is_there};
use super::watched::Lines;
use crate::confirm::confirm;
use crate::database::Database;
use crate::failure::{Failure, Result};
use crate::interrupt;
use crate::output::{Output, counted, number};
use crate::progress::Progress;

/// A pipe has no name, and no other answer than the log.
pub fn export(conn: &mut Database, file: &str, yes: bool, output: &mut Output) -> Result {
    let replaces = file != PIPE && is_there(file)?;
    if replaces {
        if let Some(what) = in_the_way(conn, file)? {
            confirm(yes, &format!("{file} would be replaced, and {what}"))?;
        }
    }
    interrupt::listen()?;
    let end = EventStore::new().last_position(conn)?;
    let is_quiet = output.is_json || file == PIPE && io::stdout().is_terminal();
    let progress = &Progress::of_positions("exporting", end, is_quiet);
    if file == PIPE {
        let out = Lines { out: io::stdout().lock(), progress };
        return transfer::export(conn, out).map(drop).map_err(broken_pipe);
    }
    let mut lines = Lines { out: PartFile::create(file)?, progress };
    let exported = transfer::export(conn, &mut lines).map_err(given_up)?;
    if replaces { lines.out.replace() } else { lines.out.keep() }?;
    say(&exported, file, output)
}

fn given_up(error: ExportError) -> Failure {
    match error {
        ExportError::Write(_) if interrupt::is_wanted() => interrupted(),
        error => error.into(),
    }
}

fn interrupted() -> Failure {
    let advice = "run it again: an export begins anew".to_owned();
    Failure::Interrupted { message: "interrupted; nothing was exported".to_owned(), advice }
}

/// What was cut is no export, also if the reader wants no more.
fn broken_pipe(error: ExportError) -> Failure {
    match error {
        ExportError::Write(_) if interrupt::is_wanted() => interrupted(),
        ExportError::Write(error) => {
            Failure::new("closed_pipe", format!("the log was not read to its end: {error}"))
        }
        error => error.into(),
    }
}

fn say(exported: &Exported, file: &str, output: &mut Output) -> Result {
    let object = json!({
        "file": file, "log_id": exported.log_id().to_string(), "events": exported.events(),
        "end": exported.end().get(), "chain": exported.chain(),
    });
    let (events, end) = (counted(exported.events(), "event"), number(exported.end().get()));
    output.answer(&object, format!("{events} to position {end} in {file}\nchain {}", exported.chain()))
}
