use diesel_event_store::{DatabaseErrorKind, EventStore, LogHolder, LogState, LogStatus, ReadError};
use serde_json::Value;

use super::grants;
use super::problem::Problem;
use crate::commands::ask::ask_number;
use crate::commands::engine::Engine;
use crate::database::Database;
use crate::failure::Result;
use crate::output::{counted, number};

const STORE: EventStore = EventStore::new();

const PUBLISH: &str = "call EventStore::publish_position regularly on the primary";

/// The streams of the newest events whose head is not at their last version. To look at all is for `verify`.
const WRONG_HEADS: &str = "SELECT COUNT(*) FROM \
    (SELECT tenant_id, aggregate_type, aggregate_id, MAX(aggregate_version) AS last_version FROM \
    (SELECT tenant_id, aggregate_type, aggregate_id, aggregate_version FROM events \
    ORDER BY global_position DESC LIMIT 1000) AS newest \
    GROUP BY tenant_id, aggregate_type, aggregate_id) AS stream \
    LEFT JOIN aggregate_heads AS head ON head.tenant_id = stream.tenant_id \
    AND head.aggregate_type = stream.aggregate_type AND head.aggregate_id = stream.aggregate_id \
    WHERE head.aggregate_version IS NULL OR head.aggregate_version <> stream.last_version";

/// Why the log cannot be read at all.
pub enum Unreadable {
    /// Then there is nothing else to look at.
    Alone(Problem),
    /// To look at the settings may tell more.
    ForASetting(Problem),
}

pub fn unreadable(conn: &mut Database) -> Result<Option<Unreadable>> {
    let error = match STORE.last_position(conn) {
        Err(ReadError::Database(error)) => error,
        other => return other.map(|_| None).map_err(Into::into),
    };
    let said = error.diesel_error().to_string();
    Ok(Some(Unreadable::Alone(match error.kind() {
        DatabaseErrorKind::ForeignTransaction | DatabaseErrorKind::UnsuitableSetting => {
            let problem = Problem::words(said, "see `docs/databases.md`");
            return Ok(Some(Unreadable::ForASetting(problem)));
        }
        DatabaseErrorKind::NotMigrated => Problem::to_type("the event store's tables are missing", "migrate"),
        DatabaseErrorKind::NeedsRepair => Problem::to_type(said, "repair"),
        DatabaseErrorKind::NotPermitted => Problem::sql(said, grants::the_end_of_the_log(conn)?),
        DatabaseErrorKind::NotPublished => Problem::words(said, PUBLISH),
        _ => return Err(error.into()),
    })))
}

pub fn problems(conn: &mut Database) -> Result<Vec<Problem>> {
    let found = [closed(conn)?, stalled(conn)?, wrong_heads(conn)?];
    Ok(found.into_iter().flatten().collect())
}

fn closed(conn: &mut Database) -> Result<Option<Problem>> {
    let Some(closed) = STORE.log_closed(conn)? else { return Ok(None) };
    let note: Value = serde_json::from_str(closed.note()).unwrap_or_default();
    let (what, advice) = match closed.state() {
        LogState::Receiving if note.get("copy").is_some() => (
            "a copy has not come to its end",
            "run it again, or type: diesel-event-store copy FROM TO --abandon; if its source is lost: \
             diesel-event-store unfreeze --source-is-lost",
        ),
        _ if note["is_lost"] == true => (
            "nobody knows any more why the log is closed",
            "if it is open in no other database, type: diesel-event-store unfreeze --target-is-lost",
        ),
        LogState::Receiving if note.get("discard").is_some() => {
            ("what was imported is discarded in part", "type: diesel-event-store import --discard --yes")
        }
        LogState::Receiving => (
            "an import has not come to its end",
            "run it again, or type: diesel-event-store import --discard --yes",
        ),
        _ if note["has_moved"] == true => (
            "the log has moved",
            "connect to the other database; if that one is lost, type: diesel-event-store unfreeze --target-is-lost",
        ),
        _ if note.get("move").is_some() => (
            "the log is about to move",
            "run the copy again, or type: diesel-event-store copy FROM TO --abandon",
        ),
        _ => ("the log takes no events", "type: diesel-event-store unfreeze"),
    };
    Ok(Some(Problem::words(format!("{what}: {}", closed.note()), advice)))
}

fn stalled(conn: &mut Database) -> Result<Option<Problem>> {
    let status = STORE.log_status(conn)?;
    if !status.is_stalled() {
        return Ok(None);
    }
    let held_back = counted(status.positions_held_back(), "position");
    let what = format!("{held_back} held back for more than a minute");
    Ok(Some(match status.held_back_by() {
        [] => {
            Problem::words(what, format!("end the transaction that has appended; for a replica, {PUBLISH}"))
        }
        _ => held_back_by(conn, what, &status)?,
    }))
}

fn held_back_by(conn: &mut Database, what: String, status: &LogStatus) -> Result<Problem> {
    let (names, ends): (Vec<_>, Vec<_>) =
        status.held_back_by().iter().map(|holder| (name(holder), end(conn, holder))).unzip();
    let ends = ends.join(" ");
    // MariaDB does not tell which of the open transactions it is.
    Ok(match names.len() > 1 && Engine::of(conn)?.is_mariadb() {
        true => Problem::words(format!("{what}, by one of {}", names.join(", ")), format!("one of: {ends}")),
        false => Problem::sql(format!("{what}, by {}", names.join(", ")), ends),
    })
}

fn name(holder: &LogHolder) -> String {
    let name = holder.name().unwrap_or_default();
    match holder.process() {
        Some(process) => format!("process {process} {name}").trim_end().to_owned(),
        None => format!("the prepared transaction {name}"),
    }
}

/// What ends its transaction.
fn end(conn: &Database, holder: &LogHolder) -> String {
    match (conn, holder.process()) {
        #[cfg(feature = "mysql")]
        (Database::Mysql(_), Some(process)) => format!("KILL {process};"),
        #[cfg(feature = "mysql")]
        (Database::Mysql(_), None) => "XA RECOVER; -- and XA ROLLBACK what it names".to_owned(),
        #[cfg(any(feature = "sqlite", feature = "postgres"))]
        (_, Some(process)) => format!("SELECT pg_terminate_backend({process});"),
        #[cfg(any(feature = "sqlite", feature = "postgres"))]
        (_, None) => {
            format!("ROLLBACK PREPARED '{}';", holder.name().unwrap_or_default().replace('\'', "''"))
        }
    }
}

fn wrong_heads(conn: &mut Database) -> Result<Option<Problem>> {
    let wrong = ask_number(conn, WRONG_HEADS)?;
    let what = format!("{} with a wrong head, of those with the newest events", counted(wrong, "stream"));
    Ok((wrong > 0).then(|| Problem::to_type(what, "repair")))
}

/// What counts positions is behind the last event, so that the next append finds its position taken.
pub fn behind(conn: &mut Database, counted: &str) -> Result<Option<Problem>> {
    // In this order, so that what is appended meanwhile does not look as if it was not counted.
    let last = ask_number(conn, "SELECT MAX(global_position) FROM events")?;
    let Some(next) = ask_number(conn, counted)?.checked_add(1) else {
        return Ok(Some(Problem::to_type(
            "positions have been counted up to the highest there is",
            "repair",
        )));
    };
    let what = format!("next position {} is not above the last event, {}", number(next), number(last));
    Ok((next <= last).then(|| Problem::to_type(what, "repair")))
}
