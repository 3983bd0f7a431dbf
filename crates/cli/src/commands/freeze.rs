use std::time::Duration;

use diesel_event_store::operate::{self, FreezeError};
use diesel_event_store::{EventStore, LogClosed, transfer};
use serde_json::json;

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
        would.push_str("; if the log has moved, and is not lost there, there would be two that differ");
    }
    confirm(patience.yes, &would)?;
    let unfreeze = if target_is_lost { transfer::reclaim } else { operate::unfreeze };
    let text = match unfreeze(conn, waits(patience)).map_err(explained)? {
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

fn explained(error: FreezeError) -> Failure {
    match &error {
        FreezeError::InTheWay { .. } => {
            Failure::new("in_the_way", error).advice("end them, or wait for longer: --wait 300")
        }
        FreezeError::LogClosed(_) => {
            Failure::new("log_closed", error).advice("run the import again, or import --discard --yes")
        }
        FreezeError::HasMoved(_) => Failure::new("has_moved", error).advice(
            "to go on here: diesel-event-store copy, from there; or, if it is lost there: \
             diesel-event-store unfreeze --target-is-lost",
        ),
        _ => error.into(),
    }
}
