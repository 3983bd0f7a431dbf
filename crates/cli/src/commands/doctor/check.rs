use super::problem::{Advice, Problem};
use crate::commands::ask::ask_all;
use crate::database::Database;
use crate::failure::Result;

/// Something that a database can be asked.
pub struct Check {
    pub what: &'static str,
    /// Each `answer` is something to be done. There is none if all is well.
    pub query: &'static str,
    pub advice: fn(String) -> Advice,
}

/// What is not as it should be.
pub fn problems_of(conn: &mut Database, checks: &[Check]) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    for Check { what, query, advice } in checks {
        let answers = ask_all(conn, "answer", &format!("FROM ({query}) AS checked"))?;
        problems.extend(answers.into_iter().map(|answer| Problem::new(*what, advice(answer))));
    }
    Ok(problems)
}
