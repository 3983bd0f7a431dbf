use std::fs::{self, File};
use std::io::{self, IsTerminal};

use diesel_event_store::EventStore;
use diesel_event_store::transfer::{self, ExportError, Exported};
use serde_json::json;

use super::files::{PIPE, Writer, of_file};
use super::watched::Lines;
use crate::database::Database;
use crate::failure::{Failure, Result};
use crate::interrupt;
use crate::output::{Output, number};
use crate::progress::Progress;

/// Under another name until it is whole. A pipe has no name, and no other answer than the log.
pub fn export(conn: &mut Database, file: &str, output: &mut Output) -> Result {
    interrupt::listen()?;
    let end = EventStore::new().last_position(conn)?;
    let is_quiet = output.is_json || file == PIPE && io::stdout().is_terminal();
    let progress = &Progress::of_positions("exporting", end, is_quiet);
    if file == PIPE {
        let out = Lines { out: io::stdout().lock(), progress };
        return transfer::export(conn, out).map(drop).map_err(broken_pipe);
    }
    let part = format!("{file}.part");
    let created = File::create(&part).map_err(|error| of_file(&part, &error))?;
    let mut lines = Lines { out: Writer::new(file, created), progress };
    let exported = transfer::export(conn, &mut lines).map_err(|error| given_up(error, &part))?;
    lines.out.finish()?.sync_all()?;
    fs::rename(&part, file).map_err(|error| of_file(file, &error))?;
    say(&exported, file, output)
}

/// After Ctrl-C there is no file.
fn given_up(error: ExportError, part: &str) -> Failure {
    match error {
        ExportError::Write(_) if interrupt::is_wanted() => {
            let _ = fs::remove_file(part); // without a trailer it is of no use anyway
            interrupted()
        }
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
    let (events, end) = (number(exported.events()), number(exported.end().get()));
    output.answer(&object, format!("{events} events to position {end} in {file}\nchain {}", exported.chain()))
}
