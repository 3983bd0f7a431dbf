use std::time::Duration;

use diesel_event_store::operate::{self, FreezeError};
use diesel_event_store::transfer::{self, CopyError};
use diesel_event_store::{EventStore, LogClosed};
use serde_json::{Value, json};

use crate::arguments::Patience;
use crate::confirm::confirm;
use crate::database::Database;
use crate::failure::{Failure, Result};
use crate::output::Output;
use crate::secrets::shown;

pub fn freeze(
    conn: &mut Database,
    url: &str,
    reason: &str,
    patience: &Patience,
    output: &mut Output,
) -> Result {
    let would = format!("appends to {} would be refused from then on, from every process", shown(url));
    confirm(patience.yes, &would)?;
    let text = match operate::freeze(conn, reason, waits(patience)).map_err(explained)? {
        true => "the log is frozen; to open it: diesel-event-store unfreeze".to_owned(),
        false => format!("the log was frozen already: {}", note(conn)?),
    };
    output.answer(&json!({ "done": text }), &text)
}

pub fn unfreeze(
    conn: &mut Database,
    url: &str,
    target_is_lost: bool,
    patience: &Patience,
    output: &mut Output,
) -> Result {
    let mut would = format!("appends to {} would begin again ({})", shown(url), note(conn)?);
    if target_is_lost {
        would.push_str(
            "; if the log is in another database, and is not lost there, there would be two that differ",
        );
    }
    confirm(patience.yes, &would)?;
    let opened = match target_is_lost {
        true => transfer::reclaim(conn, waits(patience)).map_err(not_reclaimed)?,
        false => operate::unfreeze(conn, waits(patience)).map_err(explained)?,
    };
    let text = match opened {
        true => "the log is open",
        false => "the log was open already",
    };
    output.answer(&json!({ "done": text }), text)
}

fn waits(patience: &Patience) -> Duration {
    Duration::from_secs(patience.wait)
}

/// What stands in a log that is closed.
fn note(conn: &mut Database) -> Result<String> {
    let closed = EventStore::new().log_closed(conn)?;
    Ok(closed.as_ref().map_or("it is open", LogClosed::note).to_owned())
}

/// To open a log that is in another database, too.
pub const HAS_MOVED: &str = "to go on here: diesel-event-store copy, from there; or, if it is lost there: \
    diesel-event-store unfreeze --target-is-lost";

fn explained(error: FreezeError) -> Failure {
    let (code, advice) = match &error {
        FreezeError::InTheWay { .. } => ("in_the_way", "end them, or wait for longer: --wait 300"),
        FreezeError::LogClosed(closed) if is_of_copy(closed) => (
            "log_closed",
            "run the copy again; or, if its source is lost: diesel-event-store unfreeze --source-is-lost",
        ),
        FreezeError::LogClosed(_) => ("log_closed", "run the import again, or import --discard --yes"),
        FreezeError::HasMoved(_) => ("has_moved", HAS_MOVED),
        FreezeError::MayHaveMoved(_) => (
            "may_have_moved",
            "if it is open in no other database: diesel-event-store unfreeze --target-is-lost",
        ),
        _ => return error.into(),
    };
    Failure::new(code, error).advice(advice)
}

fn not_reclaimed(error: CopyError) -> Failure {
    match error {
        CopyError::Freeze(error) => explained(error),
        CopyError::Altered { .. } => Failure::new("altered", error).advice("diesel-event-store verify"),
        CopyError::Overtaken => {
            Failure::new("overtaken", error).advice("end the process that copies, and run it again")
        }
        error => error.into(),
    }
}

fn is_of_copy(closed: &LogClosed) -> bool {
    serde_json::from_str(closed.note()).is_ok_and(|note: Value| note.get("copy").is_some())
}
