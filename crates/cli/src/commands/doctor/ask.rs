use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};

use crate::database::Database;

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Nullable<Text>)]
    answer: Option<String>,
}

/// The value of an expression, as text.
pub fn ask(conn: &mut Database, expression: &str) -> QueryResult<Option<String>> {
    let answer: Answer = match conn {
        #[cfg(feature = "sqlite")]
        Database::Sqlite(conn) => query(expression, "TEXT").get_result(conn),
        #[cfg(feature = "postgres")]
        Database::Postgres(conn) => query(expression, "TEXT").get_result(conn),
        #[cfg(feature = "mysql")]
        Database::Mysql(conn) => query(expression, "CHAR").get_result(conn),
    }?;
    Ok(answer.answer)
}

/// A number; 0 if there is none.
pub fn ask_number(conn: &mut Database, expression: &str) -> QueryResult<i64> {
    Ok(ask(conn, expression)?.and_then(|answer| answer.parse().ok()).unwrap_or_default())
}

fn query(expression: &str, text: &str) -> diesel::query_builder::SqlQuery {
    diesel::sql_query(format!("SELECT CAST(({expression}) AS {text}) AS answer"))
}
