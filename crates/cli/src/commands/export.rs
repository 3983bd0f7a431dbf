use std::fs::{self, File};
use std::io;

use diesel_event_store::transfer::{self, ExportError, Exported};
use serde_json::json;

use super::files::{PIPE, Writer, of_file};
use crate::database::Database;
use crate::failure::{Failure, Result};
use crate::output::{Output, number};

/// Under another name until it is whole. A pipe has no name, and no other answer than the log.
pub fn export(conn: &mut Database, file: &str, output: &mut Output) -> Result {
    if file == PIPE {
        return transfer::export(conn, io::stdout().lock()).map(drop).map_err(broken_pipe);
    }
    let part = format!("{file}.part");
    let created = File::create(&part).map_err(|error| of_file(&part, &error))?;
    let mut writer = Writer::new(file, created);
    let exported = transfer::export(conn, &mut writer)?;
    writer.finish()?.sync_all()?;
    fs::rename(&part, file).map_err(|error| of_file(file, &error))?;
    say(&exported, file, output)
}

/// What was cut is no export, also if the reader wants no more.
fn broken_pipe(error: ExportError) -> Failure {
    match error {
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
