use std::fs;
use std::path::Path;

use super::check::{Check, problems_of};
use super::file_system::{can_be_filled, network_file_system};
use super::log::behind;
use super::problem::{Advice, Problem};
use super::projections;
use crate::commands::ask::ask;
use crate::database::Database;
use crate::failure::Result;
use crate::output::number;

/// What concerns a connection of the application, such as `synchronous`, is not kept in the file.
const CHECKS: [Check; 2] = [
    Check {
        what: "the journal mode is not WAL: readers and writers wait for each other, or fail",
        query: "SELECT 'PRAGMA journal_mode = WAL;' AS answer FROM pragma_journal_mode \
                WHERE journal_mode NOT IN ('wal', 'memory')",
        advice: Advice::Sql,
    },
    Check {
        what: "this SQLite is older than 3.35, which the event store needs",
        query: "SELECT 'take a newer one, or compile it in: cargo install --path crates/cli' AS answer \
                WHERE CAST(substr(sqlite_version(), 3) AS REAL) < 35 AND sqlite_version() LIKE '3.%'",
        advice: Advice::Words,
    },
];

/// More than a checkpoint leaves.
const LARGE_WAL: u64 = 64 << 20;

const ASSIGNED: &str = "SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0), \
    coalesce((SELECT max(global_position) FROM events), 0))";

const COUNTED: &str = "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), \
    (SELECT max(global_position) FROM events))";

pub fn problems(conn: &mut Database) -> Result<Vec<Problem>> {
    let mut problems = projections::problems(conn, ASSIGNED)?;
    problems.extend(behind(conn, COUNTED)?);
    problems.extend(problems_of(conn, &CHECKS)?);
    let file = ask(conn, "SELECT file FROM pragma_database_list WHERE name = 'main'")?.unwrap_or_default();
    // A database in memory has none.
    if !file.is_empty() {
        problems
            .extend([large_wal(&file), on_the_network(&file), sealed_folder(&file)].into_iter().flatten());
    }
    Ok(problems)
}

/// A reader whose transaction stays open keeps it from being emptied.
fn large_wal(file: &str) -> Option<Problem> {
    let wal = fs::metadata(format!("{file}-wal")).ok()?;
    let what = format!("the file {file}-wal has {} MiB", number(wal.len() >> 20));
    let advice = "PRAGMA wal_checkpoint(TRUNCATE); -- once the reader whose transaction stays open has ended";
    (wal.len() > LARGE_WAL).then(|| Problem::sql(what, advice))
}

fn on_the_network(file: &str) -> Option<Problem> {
    let kind = network_file_system(Path::new(file))?;
    let what = format!("{file} is on a network file system ({kind}), where WAL mode can damage it");
    Some(Problem::words(what, "move it to a disk of the machine whose processes use it, or take a server"))
}

fn sealed_folder(file: &str) -> Option<Problem> {
    let folder = Path::new(file).parent()?;
    let what = format!(
        "no file can be made in {}, and SQLite needs two beside the database while it is used",
        folder.display()
    );
    (!can_be_filled(folder)).then(|| Problem::words(what, "let the application's user write to the folder"))
}
