use diesel_event_store::Position;
use diesel_event_store::projection::{
    self, ParkedEvent, ProjectionError, ProjectionId, ProjectionState, ProjectionStatus, StartFrom,
};
use serde_json::{Value, json};

use super::pace::{Pace, about};
use crate::arguments::{Action, Named};
use crate::confirm::confirm;
use crate::database::Database;
use crate::failure::{Failure, Result};
use crate::output::{Output, counted, number};
use crate::place::Place;

pub fn projections(conn: &mut Database, action: Option<Action>, output: &mut Output) -> Result {
    let Some(action) = action else { return list(conn, output) };
    match action {
        Action::Reset(named) => reset(conn, &named, output),
        Action::Resume(named) => resume(conn, &named, output),
        Action::Rewind { named, to } => rewind(conn, &named, &to, output),
        Action::Parked(named) => parked(conn, &named, output),
        Action::Retry { named, position } => retry(conn, &named, position, output),
        Action::Discard { named, position } => discard(conn, &named, position, output),
        Action::Promote(named) => promote(conn, &named, output),
        Action::Repartition { named, partitions } => repartition(conn, &named, partitions, output),
    }
}

fn list(conn: &mut Database, output: &mut Output) -> Result {
    let projections = projection::status(conn)?;
    if output.is_json {
        return projections.iter().try_for_each(|status| output.object(&object(status)));
    }
    output.table(&projections.iter().map(|status| row(status, None)).collect::<Vec<_>>())
}

/// A projection for programs.
pub fn object(status: &ProjectionStatus) -> Value {
    let partitions: Vec<Value> = status
        .partitions()
        .iter()
        .map(|partition| {
            json!({
                "partition": partition.number(), "position": partition.position().get(),
                "state": state(partition.state()), "owner": partition.owner(),
                "last_error": partition.last_error(),
            })
        })
        .collect();
    json!({
        "projection": status.projection().name(), "version": status.projection().version(),
        "position": status.position().get(), "behind": status.positions_behind(),
        "lag_seconds": status.lag().as_secs_f64(), "parked": status.parked(),
        "is_healthy": status.is_healthy(), "partitions": partitions,
    })
}

/// A projection in a table.
pub fn row(status: &ProjectionStatus, pace: Option<&Pace>) -> Vec<String> {
    let projection = status.projection();
    let mut states: Vec<String> = status
        .partitions()
        .iter()
        .map(|partition| match partition.owner() {
            Some(owner) => format!("{} ({owner})", state(partition.state())),
            None => state(partition.state()).to_owned(),
        })
        .collect();
    states.dedup();
    vec![
        format!("{} v{}", projection.name(), projection.version()),
        number(status.position().get()),
        behind(status, pace),
        states.join(", "),
        match status.parked() {
            0 => String::new(),
            parked => format!("{} parked", number(parked)),
        },
    ]
}

/// In positions, and how old the first event is that is not applied; and how fast it gets less.
fn behind(status: &ProjectionStatus, pace: Option<&Pace>) -> String {
    let by = match status.positions_behind() {
        0 => "0 behind".to_owned(),
        behind => format!("{} behind, by {}", number(behind), about(status.lag())),
    };
    pace.map_or(by.clone(), |pace| format!("{by}  {}", pace.text()))
}

pub fn state(state: ProjectionState) -> &'static str {
    match state {
        ProjectionState::Running => "running",
        ProjectionState::Retrying => "retrying",
        ProjectionState::Idle => "idle",
        ProjectionState::Failed => "failed",
        ProjectionState::Retired => "retired",
        ProjectionState::Manual => "kept by the application",
        _ => "unknown",
    }
}

/// The version that is meant: the newest, unless one is named.
fn id(conn: &mut Database, named: &Named) -> Result<ProjectionId> {
    let statuses = projection::status(conn)?;
    let of_the_name = statuses.iter().map(ProjectionStatus::projection).filter(|id| id.name() == named.name);
    let meant = match named.version {
        Some(version) => of_the_name.into_iter().find(|id| id.version() == version),
        None => of_the_name.max_by_key(|id| id.version()),
    };
    meant.cloned().ok_or_else(|| {
        let failure = Failure::new("no_projection", format!("there is no projection {}", named.name));
        failure.advice("to list them: diesel-event-store projections")
    })
}

fn done(output: &mut Output, id: &ProjectionId, what: String) -> Result {
    let object = json!({ "projection": id.name(), "version": id.version(), "done": what });
    output.answer(&object, format!("{id}: {what}"))
}

fn reset(conn: &mut Database, named: &Named, output: &mut Output) -> Result {
    let id = id(conn, named)?;
    let would = format!(
        "{id} would begin with the first event again, and forget its parked events. Its read model is not \
         emptied: do so first, with its workers stopped"
    );
    confirm(named.yes, &would)?;
    projection::reset(conn, &id, |_| Ok::<_, Failure>(()))?;
    done(output, &id, "begins with the first event again".into())
}

fn resume(conn: &mut Database, named: &Named, output: &mut Output) -> Result {
    let id = id(conn, named)?;
    let failed = counted(failed_partitions(conn, &id)?, "failed partition");
    confirm(named.yes, &format!("{failed} of {id} would go on, with what could not be applied"))?;
    let resumed = projection::resume(conn, &id)?;
    done(output, &id, format!("{} resumed", counted(resumed as u64, "partition")))
}

fn failed_partitions(conn: &mut Database, id: &ProjectionId) -> Result<u64> {
    let statuses = projection::status(conn)?;
    let partitions =
        statuses.iter().filter(|status| status.projection() == id).flat_map(|it| it.partitions());
    Ok(partitions.filter(|partition| partition.state() == ProjectionState::Failed).count() as u64)
}

fn rewind(conn: &mut Database, named: &Named, to: &str, output: &mut Output) -> Result {
    let start = match to {
        "now" => StartFrom::Now,
        place => match Place::read("--to", place)? {
            Place::Position(position) => StartFrom::Position(position),
            Place::Time(time) => StartFrom::Time(time),
        },
    };
    let id = id(conn, named)?;
    let would = format!(
        "{id} would go on after {to}, and forget what is parked after that. Its read model is not changed: make it \
         fit first, with its workers stopped"
    );
    confirm(named.yes, &would)?;
    let put = projection::reset_to(conn, &id, start, |_| Ok::<_, ProjectionError>(()));
    put.map_err(|error| match error {
        ProjectionError::Invalid(invalid) => Failure::Usage(format!("--to {to}: {invalid}")),
        error => error.into(),
    })?;
    done(output, &id, format!("goes on after {to}"))
}

fn parked(conn: &mut Database, named: &Named, output: &mut Output) -> Result {
    let id = id(conn, named)?;
    for event in projection::parked(conn, &id)? {
        let object = json!({
            "projection": id.name(), "version": id.version(), "global_position": event.position().get(),
            "event_id": event.event_id().to_string(), "stream": event.stream().to_string(),
            "reason": format!("{:?}", event.reason()), "attempts": event.attempts(), "error": event.error(),
        });
        let position = number(event.position().get());
        let text = format!("{position}  {}  {:?}  {}", event.stream(), event.reason(), event.error());
        output.answer(&object, text)?;
    }
    Ok(())
}

/// The parked events that are meant: one, or all.
fn meant(conn: &mut Database, id: &ProjectionId, position: Option<i64>) -> Result<Vec<Position>> {
    let parked: Vec<Position> = projection::parked(conn, id)?.iter().map(ParkedEvent::position).collect();
    let Some(position) = position else { return Ok(parked) };
    let found = parked.into_iter().find(|parked| parked.get() == position);
    let missing = || Failure::new("not_parked", format!("{id} has no parked event at {}", number(position)));
    Ok(vec![found.ok_or_else(missing)?])
}

fn parked_events(meant: &[Position]) -> String {
    counted(meant.len() as u64, "parked event")
}

fn retry(conn: &mut Database, named: &Named, position: Option<i64>, output: &mut Output) -> Result {
    let id = id(conn, named)?;
    let meant = meant(conn, &id, position)?;
    let would = format!("the handler of {id} would be given {} again", parked_events(&meant));
    confirm(named.yes, &would)?;
    for position in &meant {
        projection::retry_parked(conn, &id, *position)?;
    }
    done(output, &id, format!("its worker tries {} again", parked_events(&meant)))
}

fn discard(conn: &mut Database, named: &Named, position: Option<i64>, output: &mut Output) -> Result {
    let id = id(conn, named)?;
    let meant = meant(conn, &id, position)?;
    confirm(named.yes, &format!("{id} would never apply {}", parked_events(&meant)))?;
    for position in &meant {
        projection::discard_parked(conn, &id, *position)?;
    }
    done(output, &id, format!("its worker gives up {}", parked_events(&meant)))
}

fn promote(conn: &mut Database, named: &Named, output: &mut Output) -> Result {
    let id = id(conn, named)?;
    let would = format!(
        "older versions of {} would be retired for ever. No table is renamed: {id} has to be what readers \
         look at already",
        id.name()
    );
    confirm(named.yes, &would)?;
    projection::promote(conn, &id, |_| Ok::<_, Failure>(()))?;
    done(output, &id, "is in the place of the older versions".into())
}

fn repartition(conn: &mut Database, named: &Named, partitions: i32, output: &mut Output) -> Result {
    let id = id(conn, named)?;
    confirm(named.yes, &format!("{id} would have {}", counted(partitions, "partition")))?;
    projection::repartition(conn, &id, partitions)?;
    done(output, &id, format!("will have {}", counted(partitions, "partition")))
}
