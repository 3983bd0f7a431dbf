//! What happens in a process whose system has no thread left for it.

use std::env;
use std::process::Command;

use diesel_event_store::projection::{Projection, ProjectionError, Runner};
use diesel_event_store::sqlite::Synchronous;
use test_support::sqlite_file::SqliteFile;
use test_support::worker::{ARGUMENT, report};

use super::database;

/// Of a stack that is larger than any address space.
const LARGEST_STACK: u64 = 1 << 47;

pub fn run_projections(path: &str, _: &[String]) {
    let path = path.to_owned();
    let connect = move || Ok::<_, std::convert::Infallible>(database::connect(&path, Synchronous::Full));
    let nothing = Projection::new("nothing", 1, |_, _| Ok(()));
    match Runner::new(connect).projection(nothing).start() {
        Err(error @ ProjectionError::Thread(_)) => report(format!("typed: {error}")),
        other => report(format!("not typed: {:?}", other.err())),
    }
}

pub fn a_runner_without_threads_is_refused() {
    let database = SqliteFile::migrated();
    let output = Command::new(env::current_exe().unwrap())
        .args([ARGUMENT, "run_projections"])
        .arg(database.path())
        .env("RUST_MIN_STACK", LARGEST_STACK.to_string())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.starts_with("typed: failed to start a thread"), "{output:?}");
}
