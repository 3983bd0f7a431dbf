use super::made::{self, Made};
#[cfg(feature = "mysql")]
use super::mysql;
use super::problem::Problem;
use crate::commands::ask::ask_all;
use crate::database::Database;
use crate::failure::Result;

/// What refuses that recorded events are changed, and is not there.
pub fn problems(conn: &mut Database) -> Result<Vec<Problem>> {
    if !are_visible(conn)? {
        return Ok(Vec::new());
    }
    let there = there(conn)?;
    let missing = made::triggers(conn).into_iter().filter(|trigger| !there.contains(&trigger.name));
    Ok(missing.map(|trigger| problem(conn, trigger)).collect())
}

fn problem(conn: &Database, trigger: Made) -> Problem {
    let what = format!("what is recorded can be changed: the trigger {} is missing", trigger.name);
    Problem::sql(what, typed(conn, trigger.statement))
}

fn there(conn: &mut Database) -> Result<Vec<String>> {
    let (name, rows) = match conn {
        #[cfg(feature = "sqlite")]
        Database::Sqlite(_) => ("name", "FROM sqlite_schema WHERE type = 'trigger'"),
        #[cfg(feature = "postgres")]
        Database::Postgres(_) => (
            "tgname",
            "FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid \
             WHERE NOT tgisinternal AND pg_table_is_visible(tgrelid)",
        ),
        #[cfg(feature = "mysql")]
        Database::Mysql(_) => {
            ("trigger_name", "FROM information_schema.triggers WHERE trigger_schema = DATABASE()")
        }
    };
    Ok(ask_all(conn, name, rows)?)
}

fn are_visible(conn: &mut Database) -> Result<bool> {
    match conn {
        #[cfg(feature = "mysql")]
        Database::Mysql(_) => mysql::shows_triggers(conn),
        #[cfg(any(feature = "sqlite", feature = "postgres"))]
        _ => Ok(true),
    }
}

/// As its client takes it.
fn typed(conn: &Database, statement: String) -> String {
    match conn {
        #[cfg(feature = "mysql")]
        Database::Mysql(_) => mysql::typed(statement),
        #[cfg(any(feature = "sqlite", feature = "postgres"))]
        _ => statement,
    }
}
