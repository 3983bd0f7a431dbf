use diesel::migration::CREATE_MIGRATIONS_TABLE;
use diesel_event_store::{DatabaseError, DatabaseErrorKind};

use super::grants;
use super::made::{self, Made};
use super::problem::Problem;
use crate::commands::ask::ask;
use crate::commands::ledger::Ledger;
use crate::database::Database;
use crate::failure::Result;

/// Without these there is no log.
const VITAL: [&str; 3] = ["events", "event_log", "event_fence"];

/// What is wrong with the tables. Whatever it is, they can then not all be read.
pub fn problems(conn: &mut Database) -> Result<Vec<Problem>> {
    let ledger = Ledger::of(conn)?;
    if let Some(version) = ledger.newer() {
        return Ok(vec![newer(version)]);
    }
    let tables = made::tables(conn);
    let (mut missing, mut denied) = (Vec::new(), Vec::new());
    for table in &tables {
        match state(conn, table)? {
            State::Readable => {}
            State::Missing => missing.push(table),
            State::Denied => denied.push(table.name.as_str()),
        }
    }
    if missing.len() == tables.len() || (!missing.is_empty() && ledger.newest().is_none()) {
        return Ok(vec![no_tables(&ledger)]);
    }
    let mut problems: Vec<Problem> = missing.iter().map(|table| no_table(table)).collect();
    if !denied.is_empty() {
        let what = format!("this user may not read {}, which are the event store's", denied.join(", "));
        problems.push(Problem::sql(what, grants::reading(conn, &denied)?));
    }
    if problems.is_empty() {
        problems.extend(pending(&ledger));
    }
    Ok(problems)
}

fn newer(version: &str) -> Problem {
    Problem::words(
        format!("the database has the event store migration {version}, which this command does not know"),
        "build the command anew, from the version of diesel_event_store that the application has: \
         cargo install --path crates/cli",
    )
}

enum State {
    Readable,
    Missing,
    Denied,
}

fn state(conn: &mut Database, table: &Made) -> Result<State> {
    let asked = ask(conn, &format!("SELECT 1 FROM {} WHERE 1 = 0", table.name));
    let Err(error) = asked.map_err(DatabaseError::from) else { return Ok(State::Readable) };
    match error.kind() {
        DatabaseErrorKind::NotMigrated => Ok(State::Missing),
        DatabaseErrorKind::NotPermitted => Ok(State::Denied),
        _ => Err(error.into_diesel_error().into()),
    }
}

fn no_tables(ledger: &Ledger) -> Problem {
    let what = "the event store's tables are missing";
    match ledger.newest() {
        None => Problem::to_type(what, "migrate"),
        Some(_) => Problem::sql(
            format!("{what}, and __diesel_schema_migrations says that they were made"),
            "DELETE FROM __diesel_schema_migrations WHERE version LIKE '00000000______des'; \
             -- then: diesel-event-store migrate",
        ),
    }
}

fn no_table(table: &Made) -> Problem {
    let what = format!("the table {} is missing, with all that was in it", table.name);
    match VITAL.contains(&table.name.as_str()) {
        true => Problem::words(what, "restore a backup: without it there is no log"),
        false => Problem::sql(what, &table.statement),
    }
}

/// The first makes the tables, which are there.
fn pending(ledger: &Ledger) -> Option<Problem> {
    let pending = ledger.pending();
    let first = pending.first()?;
    Some(match ledger.newest() {
        Some(_) => Problem::to_type(format!("migrations are pending: {}", pending.join(", ")), "migrate"),
        None => Problem::sql(
            "the tables are there, and __diesel_schema_migrations does not say so: they would be made again",
            format!(
                "{} INSERT INTO __diesel_schema_migrations (version) VALUES ('{first}');",
                ledger_table()
            ),
        ),
    })
}

/// In one line.
fn ledger_table() -> String {
    let words: Vec<&str> = CREATE_MIGRATIONS_TABLE.split_whitespace().collect();
    words.join(" ")
}
