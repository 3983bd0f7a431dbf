use diesel_event_store::projection::{self, PartitionStatus, ProjectionState, ProjectionStatus};

use super::problem::Problem;
use crate::database::Database;
use crate::failure::Result;
use crate::output::{counted, number};

pub fn problems(conn: &mut Database) -> Result<Vec<Problem>> {
    Ok(projection::status(conn)?.iter().flat_map(of_projection).collect())
}

fn of_projection(status: &ProjectionStatus) -> Vec<Problem> {
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
            format!("projections resume {}", projection.name()),
        )),
        ProjectionState::Retrying => Some(Problem::new(
            format!("partition {number_} of {projection} does not get on: {error}"),
            "it is tried again until that is remedied",
        )),
        ProjectionState::Idle if status.positions_behind() > 0 => Some(Problem::new(
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
    let arguments = format!("projections parked {}", status.projection().name());
    (status.parked() > 0).then(|| Problem::to_type(what, arguments))
}
