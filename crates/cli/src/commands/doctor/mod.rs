//! What is wrong, or will be, and what to type. It only reads.

mod ask;
mod log;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
mod problem;
mod projections;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use problem::Problem;
use serde_json::json;

use crate::database::Database;
use crate::failure::{Failure, Result};
use crate::output::Output;

pub fn doctor(conn: &mut Database, output: &mut Output) -> Result {
    let problems = problems(conn)?;
    for Problem { what, advice } in &problems {
        let text = format!("problem  {what}\n         {advice}");
        output.answer(&json!({ "problem": what, "advice": advice }), text)?;
    }
    match problems.len() {
        0 => output.answer(&json!({ "problems": 0 }), "no problem was found"),
        1 => Err(Failure::Found("a problem was found".to_owned())),
        number => Err(Failure::Found(format!("{number} problems were found"))),
    }
}

pub fn problems(conn: &mut Database) -> Result<Vec<Problem>> {
    if let Some(problem) = log::unreadable(conn)? {
        return Ok(vec![problem]);
    }
    let mut problems = log::problems(conn)?;
    problems.extend(projections::problems(conn)?);
    problems.extend(of_database(conn)?);
    Ok(problems)
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
