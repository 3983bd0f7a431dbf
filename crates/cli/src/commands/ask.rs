use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};

use crate::database::Database;

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Nullable<Text>)]
    answer: Option<String>,
}

/// What a query finds, of any kind of database.
macro_rules! find {
    ($conn:expr, $query:expr) => {{
        let query = diesel::sql_query($query);
        match $conn {
            #[cfg(feature = "sqlite")]
            $crate::database::Database::Sqlite(conn) => diesel::RunQueryDsl::load(query, conn),
            #[cfg(feature = "postgres")]
            $crate::database::Database::Postgres(conn) => diesel::RunQueryDsl::load(query, conn),
            #[cfg(feature = "mysql")]
            $crate::database::Database::Mysql(conn) => diesel::RunQueryDsl::load(query, conn),
        }
    }};
}

pub(super) use find;

/// The value of an expression, as text.
pub fn ask(conn: &mut Database, expression: &str) -> QueryResult<Option<String>> {
    let query = format!("SELECT CAST(({expression}) AS {}) AS answer", text(conn));
    let answers: Vec<Answer> = find!(conn, query)?;
    Ok(answers.into_iter().next().and_then(|answer| answer.answer))
}

/// A number; 0 if there is none.
pub fn ask_number(conn: &mut Database, expression: &str) -> QueryResult<i64> {
    Ok(ask(conn, expression)?.and_then(|answer| answer.parse().ok()).unwrap_or_default())
}

/// A column of all rows, as text. `rows` is what stands behind SELECT and the column.
pub fn ask_all(conn: &mut Database, column: &str, rows: &str) -> QueryResult<Vec<String>> {
    let query = format!("SELECT CAST({column} AS {}) AS answer {rows}", text(conn));
    let answers: Vec<Answer> = find!(conn, query)?;
    Ok(answers.into_iter().filter_map(|answer| answer.answer).collect())
}

/// Statements without an answer.
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub fn tell(conn: &mut Database, statement: &str) -> QueryResult<()> {
    match conn {
        #[cfg(feature = "sqlite")]
        Database::Sqlite(conn) => diesel::sql_query(statement).execute(conn),
        #[cfg(feature = "postgres")]
        Database::Postgres(conn) => diesel::sql_query(statement).execute(conn),
        #[cfg(feature = "mysql")]
        Database::Mysql(conn) => diesel::sql_query(statement).execute(conn),
    }
    .map(drop)
}

fn text(conn: &Database) -> &'static str {
    match conn {
        #[cfg(feature = "sqlite")]
        Database::Sqlite(_) => "TEXT",
        #[cfg(feature = "postgres")]
        Database::Postgres(_) => "TEXT",
        #[cfg(feature = "mysql")]
        Database::Mysql(_) => "CHAR",
    }
}
