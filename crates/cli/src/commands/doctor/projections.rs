use diesel::sql_types::{Integer, Text};
use diesel_event_store::projection::{
    self, PartitionStatus, ProjectionId, ProjectionState, ProjectionStatus,
};

use super::problem::Problem;
use crate::commands::ask::{ask_number, find};
use crate::commands::to_type;
use crate::database::Database;
use crate::failure::Result;
use crate::output::{counted, number};

/// Versions whose last event is another one now. One that is not there any more was archived or erased.
const OTHER_EVENT: &str = "SELECT projection_name, projection_version FROM projection_checkpoints \
    JOIN events ON global_position = last_event_position AND event_id <> last_event_id";

#[derive(diesel::QueryableByName)]
struct Version {
    #[diesel(sql_type = Text)]
    projection_name: String,
    #[diesel(sql_type = Integer)]
    projection_version: i32,
}

/// `assigned` is an expression for the last position that the log has assigned.
pub fn problems(conn: &mut Database, assigned: &str) -> Result<Vec<Problem>> {
    let statuses = projection::status(conn)?;
    // In this order, so that what is applied meanwhile is not beyond the end.
    let end = ask_number(conn, assigned)?;
    let other: Vec<Version> = find!(conn, OTHER_EVENT)?;
    let is_other = |id: &ProjectionId| {
        other.iter().any(|it| (&*it.projection_name, it.projection_version) == (id.name(), id.version()))
    };
    let of_projection = |status: &ProjectionStatus| match status {
        status if is_retired(status) => Vec::new(),
        status => match of_other_log(status, end, is_other(status.projection())) {
            Some(problem) => vec![problem],
            None => of_this_log(status),
        },
    };
    Ok(statuses.iter().flat_map(of_projection).collect())
}

fn is_retired(status: &ProjectionStatus) -> bool {
    status.partitions().iter().all(|partition| partition.state() == ProjectionState::Retired)
}

/// What it has applied is not in this log. Then nothing else can be done about it than to begin anew.
fn of_other_log(status: &ProjectionStatus, end: i64, is_other_event: bool) -> Option<Problem> {
    let id = status.projection();
    let farthest = status.partitions().iter().map(|partition| partition.position().get()).max();
    let farthest = farthest.unwrap_or_default();
    let what = match () {
        () if farthest > end => {
            let (checkpoint, end) = (number(farthest), number(end));
            format!("the checkpoint of {id}, {checkpoint}, is beyond the end of the log, {end}")
        }
        () if is_other_event => format!("where {id} has applied its last event, the log has another one"),
        () => return None,
    };
    Some(Problem::to_type(what, to_type::projections("reset", id)))
}

fn of_this_log(status: &ProjectionStatus) -> Vec<Problem> {
    let of_partitions = status.partitions().iter().filter_map(|partition| of_partition(status, partition));
    let mut problems: Vec<Problem> = of_partitions.collect();
    problems.extend(parked(status));
    problems
}

fn of_partition(status: &ProjectionStatus, partition: &PartitionStatus) -> Option<Problem> {
    let (projection, number_) = (status.projection(), partition.number());
    let error = partition.last_error().unwrap_or_default();
    match partition.state() {
        ProjectionState::Failed => Some(Problem::to_type(
            format!("partition {number_} of {projection} has stopped: {error}"),
            to_type::projections("resume", projection),
        )),
        ProjectionState::Retrying => Some(Problem::words(
            format!("partition {number_} of {projection} does not get on: {error}"),
            "it is tried again until that is remedied",
        )),
        ProjectionState::Idle if status.positions_behind() > 0 => Some(Problem::words(
            format!(
                "no worker applies partition {number_} of {projection}, which is {} behind",
                number(status.positions_behind())
            ),
            "start its worker",
        )),
        _ => None,
    }
}

fn parked(status: &ProjectionStatus) -> Option<Problem> {
    let what = format!("{} has parked {}", status.projection(), counted(status.parked(), "event"));
    let arguments = to_type::projections("parked", status.projection());
    (status.parked() > 0).then(|| Problem::to_type(what, arguments))
}
