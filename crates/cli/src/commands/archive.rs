use std::io;

use diesel_event_store::transfer::{self, ArchiveError, Archived, Before, ImportError, Restored};
use serde_json::json;

use super::files::{PIPE, open, rewound, spooled};
use super::part_file::{PartFile, is_there};
use super::to_type;
use crate::confirm::confirm;
use crate::database::Database;
use crate::failure::{Failure, Result};
use crate::output::{Output, counted, number};
use crate::place::Place;
use crate::secrets::shown;

/// What is to be archived, and where.
pub struct Asked<'a> {
    pub before: &'a str,
    pub file: &'a str,
    pub yes: bool,
}

/// A file that is there is whole, because it has another name until it is: it was written by a command that
/// was killed before it had removed everything.
pub fn archive(conn: &mut Database, url: &str, asked: &Asked<'_>, output: &mut Output) -> Result {
    let before = read(asked.before)?;
    if asked.file == PIPE {
        return Err(Failure::Usage("what is removed has to be in a file, and - is none".to_owned()));
    }
    match is_there(asked.file)? {
        true => confirm(asked.yes, &would_finish(asked.file, url))?,
        false if !write(conn, url, before, asked, output)? => return Ok(()),
        false => {}
    }
    let archived = transfer::remove_archived(conn, || open(asked.file, output.is_json)).map_err(explained)?;
    say(&archived, asked.file, output)
}

fn would_finish(file: &str, url: &str) -> String {
    format!(
        "{file} is there already; what it holds would be removed from {}, and nothing else. To archive more, \
         name another file",
        shown(url)
    )
}

/// `false` if there is nothing to be archived.
fn write(
    conn: &mut Database,
    url: &str,
    before: Before,
    asked: &Asked<'_>,
    output: &mut Output,
) -> Result<bool> {
    let would = transfer::archivable(conn, before).map_err(explained)?;
    let position = number(would.before().get());
    if would.streams() == 0 {
        let object = json!({ "streams": 0, "events": 0, "before": would.before().get() });
        output.answer(&object, format!("no stream ends before position {position}"))?;
        return Ok(false);
    }
    let would = format!(
        "{} of {}, which end before position {position}, would be written to {} and then \
         removed from {}; to load these aggregates would be refused, and so would a new projection that begins \
         before them",
        counted(would.events(), "event"),
        counted(would.streams(), "stream"),
        asked.file,
        shown(url)
    );
    confirm(asked.yes, &would)?;
    let mut file = PartFile::create(asked.file)?;
    transfer::export_archive(conn, before, &mut file).map_err(explained)?;
    file.keep().map_err(taken)?;
    Ok(true)
}

/// What has the name by now may be another archive, whose events are nowhere else.
fn taken(error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::AlreadyExists => {
            let message = format!("{error}: it was written meanwhile; nothing was removed by this command");
            Failure::new("file", message).advice("name another file")
        }
        _ => error.into(),
    }
}

fn read(before: &str) -> Result<Before> {
    Ok(match Place::read("--before", before)? {
        Place::Position(position) => position.into(),
        Place::Time(time) => time.into(),
    })
}

/// What to type then.
fn explained(error: ArchiveError) -> Failure {
    match &error {
        ArchiveError::HeldBack { projection, is_parked: true, .. } => {
            let advice = format!("diesel-event-store {}", to_type::projections("parked", projection));
            Failure::new("held_back", error).advice(advice)
        }
        ArchiveError::HeldBack { position, .. } => {
            let advice = format!("let it catch up, or archive --before {position}");
            Failure::new("held_back", error).advice(advice)
        }
        ArchiveError::File(ImportError::File { .. } | ImportError::Read(_)) => Failure::new("file", error),
        ArchiveError::Differs { .. } => Failure::new("differs", format!("{error}; nothing was changed")),
        _ => error.into(),
    }
}

fn say(archived: &Archived, file: &str, output: &mut Output) -> Result {
    let object = json!({
        "file": file, "streams": archived.streams(), "events": archived.events(), "kept": archived.kept(),
    });
    let kept = match archived.kept() {
        0 => String::new(),
        kept => format!("; {} kept, with appends since", counted(kept, "stream")),
    };
    let (events, streams) = (counted(archived.events(), "event"), counted(archived.streams(), "stream"));
    output.answer(&object, format!("{events} of {streams} archived in {file}{kept}"))
}

pub fn restore(conn: &mut Database, file: &str, output: &mut Output) -> Result {
    let is_quiet = output.is_json;
    let restored: Result<Restored, ArchiveError> = match file {
        PIPE => {
            let spooled = spooled()?;
            transfer::restore(conn, || rewound(&spooled, is_quiet))
        }
        file => transfer::restore(conn, || open(file, is_quiet)),
    };
    let restored = restored.map_err(explained)?;
    let object = json!({ "streams": restored.streams(), "events": restored.events() });
    let (events, streams) = (counted(restored.events(), "event"), counted(restored.streams(), "stream"));
    output.answer(&object, format!("{events} of {streams} restored"))
}
