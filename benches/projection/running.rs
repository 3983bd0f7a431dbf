use std::path::{Path, PathBuf};
use std::sync::mpsc;

use diesel::prelude::*;
use diesel_event_store::projection::{self, Progress, Projection, ProjectionError, Runner};
use diesel_event_store::sqlite::Synchronous;

use bench_support::database;

/// Starts a runner, waits until it has applied this many events, and stops it.
pub fn run_to_the_end(
    path: &Path,
    synchronous: Synchronous,
    projection: Projection<SqliteConnection>,
    events: usize,
) {
    let (progressed, progress) = mpsc::channel();
    let path: PathBuf = path.to_owned();
    let running = Runner::new(move || Ok::<_, ConnectionError>(database::connect(&path, synchronous)))
        .projection(projection)
        .on_progress(move |progress: &Progress| progressed.send(progress.applied()).expect("a listener"))
        .start()
        .expect("a runner");
    let mut applied = 0;
    while applied < events as u64 {
        applied += progress.recv().expect("the runner continues");
    }
    running.stop().expect("nothing went wrong");
}

/// Moves the projection back to the beginning, if it has ever run.
pub fn reset(conn: &mut SqliteConnection, name: &str) {
    match projection::reset(conn, (name, 1), |_conn| Ok::<_, ProjectionError>(())) {
        Ok(()) | Err(ProjectionError::Unknown { .. }) => {}
        Err(error) => panic!("{error}"),
    }
}
