//! What is wrong, or will be, and what to type. It only reads.

mod check;
#[cfg(feature = "sqlite")]
mod file_system;
mod grants;
mod log;
mod made;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
mod problem;
mod projections;
#[cfg(feature = "sqlite")]
mod sqlite;
mod tables;
mod triggers;

use log::Unreadable;
pub use problem::Problem;
use serde_json::json;

use crate::database::Database;
use crate::failure::{Failure, Result};
use crate::line::Line;
use crate::output::Output;

pub fn doctor(conn: &mut Database, url: &str, output: &mut Output) -> Result {
    let problems = problems(conn)?;
    for Problem { what, advice } in &problems {
        let advice = advice.on(url);
        let below = format!("\n{advice}").replace('\n', "\n         ");
        let text = Line::default().found(format!("problem  {what}")).dim(below);
        output.answer(&json!({ "problem": what, "advice": advice }), text)?;
    }
    match problems.len() {
        0 => output.answer(&json!({ "problems": 0 }), "no problem was found"),
        1 => Err(Failure::Found("a problem was found".to_owned())),
        number => Err(Failure::Found(format!("{number} problems were found"))),
    }
}

/// What keeps the log from being read comes alone: nothing else can be looked at then.
pub fn problems(conn: &mut Database) -> Result<Vec<Problem>> {
    only_read(conn)?;
    let of_tables = tables::problems(conn)?;
    if !of_tables.is_empty() {
        return Ok(of_tables);
    }
    match log::unreadable(conn)? {
        Some(Unreadable::Alone(problem)) => return Ok(vec![problem]),
        Some(Unreadable::ForASetting(problem)) => {
            let settings = settings(conn)?;
            return Ok(if settings.is_empty() { vec![problem] } else { settings });
        }
        None => {}
    }
    let mut problems = log::problems(conn)?;
    problems.extend(triggers::problems(conn)?);
    problems.extend(of_database(conn)?);
    Ok(problems)
}

fn only_read(conn: &mut Database) -> Result {
    match conn {
        #[cfg(feature = "postgres")]
        Database::Postgres(_) => postgres::only_read(conn),
        #[cfg(any(feature = "sqlite", feature = "mysql"))]
        _ => Ok(()),
    }
}

/// Those that may keep the log from being read.
fn settings(conn: &mut Database) -> Result<Vec<Problem>> {
    match conn {
        #[cfg(feature = "sqlite")]
        Database::Sqlite(_) => Ok(Vec::new()),
        #[cfg(feature = "postgres")]
        Database::Postgres(_) => postgres::settings(conn),
        #[cfg(feature = "mysql")]
        Database::Mysql(_) => mysql::settings(conn),
    }
}

fn of_database(conn: &mut Database) -> Result<Vec<Problem>> {
    match conn {
        #[cfg(feature = "sqlite")]
        Database::Sqlite(_) => sqlite::problems(conn),
        #[cfg(feature = "postgres")]
        Database::Postgres(_) => postgres::problems(conn),
        #[cfg(feature = "mysql")]
        Database::Mysql(_) => mysql::problems(conn),
    }
}
