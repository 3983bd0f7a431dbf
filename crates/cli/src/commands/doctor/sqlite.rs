use std::fs;

use super::ask::{ask, ask_number};
use super::log::behind;
use super::problem::Problem;
use crate::database::Database;
use crate::failure::Result;
use crate::output::number;

/// More than a checkpoint leaves.
const LARGE_WAL: u64 = 64 << 20;

pub fn problems(conn: &mut Database) -> Result<Vec<Problem>> {
    let counted = "SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'events'), \
                   (SELECT MAX(global_position) FROM events))";
    let found = [behind(conn, counted)?, triggers(conn)?, large_wal(conn)?];
    Ok(found.into_iter().flatten().collect())
}

fn triggers(conn: &mut Database) -> Result<Option<Problem>> {
    let count = "SELECT COUNT(*) FROM sqlite_schema WHERE type = 'trigger' \
                 AND name IN ('events_refuse_update', 'events_refuse_delete')";
    let missing = ask_number(conn, count)? < 2;
    let what = "events can be changed or deleted: a trigger that refuses it is missing";
    Ok(missing.then(|| Problem::new(what, "create it again, as the migration des_create_event_store does")))
}

/// A reader whose transaction stays open keeps it from being emptied.
fn large_wal(conn: &mut Database) -> Result<Option<Problem>> {
    let file = ask(conn, "SELECT file FROM pragma_database_list WHERE name = 'main'")?.unwrap_or_default();
    let Ok(wal) = fs::metadata(format!("{file}-wal")) else { return Ok(None) };
    let what = format!("the file {file}-wal has {} MiB", number(wal.len() >> 20));
    let advice = "end the reader whose transaction stays open; then: PRAGMA wal_checkpoint(TRUNCATE)";
    Ok((wal.len() > LARGE_WAL).then(|| Problem::new(what, advice)))
}
