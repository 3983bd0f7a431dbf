//! How fast projections come to the end of the log.

use std::thread;
use std::time::Duration;

use diesel_event_store::projection::{self, ProjectionStatus};

use crate::database::Database;
use crate::failure::Result;
use crate::output::number;

/// Between two looks: a worker saves its checkpoint several times in it.
const BETWEEN: Duration = Duration::from_millis(800);

/// A projection that a worker applies and that is behind, between two looks.
pub struct Pace {
    pub per_second: f64,
    pub left: Option<Duration>,
}

/// All projections, with the pace of those that have one. It is looked twice only if there are some.
pub fn paces(conn: &mut Database) -> Result<Vec<(ProjectionStatus, Option<Pace>)>> {
    let earlier = projection::status(conn)?;
    if !earlier.iter().any(is_under_way) {
        return Ok(earlier.into_iter().map(|status| (status, None)).collect());
    }
    thread::sleep(BETWEEN);
    let with_pace = |status: ProjectionStatus| {
        let before = earlier.iter().find(|it| it.projection() == status.projection());
        let pace = before.filter(|before| is_under_way(before)).map(|before| Pace::since(before, &status));
        (status, pace)
    };
    Ok(projection::status(conn)?.into_iter().map(with_pace).collect())
}

fn is_under_way(status: &ProjectionStatus) -> bool {
    status.positions_behind() > 0 && status.partitions().iter().any(|partition| partition.owner().is_some())
}

impl Pace {
    fn since(earlier: &ProjectionStatus, status: &ProjectionStatus) -> Self {
        Self { per_second: status.positions_per_second(earlier), left: status.time_left(earlier) }
    }

    pub fn text(&self) -> String {
        let speed = number(self.per_second.round() as i64);
        self.left.map_or(format!("{speed}/s"), |left| format!("{speed}/s, {} left", about(left)))
    }
}

/// A duration in its largest unit.
pub fn about(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} min", seconds / 60),
        seconds @ 7_200..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} days", seconds / 86_400),
    }
}
