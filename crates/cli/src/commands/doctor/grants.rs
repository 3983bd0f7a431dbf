//! What has to be granted to the user of the command. The owner of the tables can.

use crate::commands::ask::ask;
use crate::database::Database;
use crate::failure::Result;

/// Reading tables.
pub fn reading(conn: &mut Database, tables: &[&str]) -> Result<String> {
    let (place, user) = (place(conn)?, user(conn)?);
    let grants = tables.iter().map(|table| format!("GRANT SELECT ON {place}{table} TO {user};"));
    Ok(grants.collect::<Vec<_>>().join("\n"))
}

/// Finding out where the log ends, if its tables can be read.
pub fn the_end_of_the_log(conn: &mut Database) -> Result<String> {
    match conn {
        #[cfg(feature = "postgres")]
        Database::Postgres(_) => {
            let sequence = ask(conn, "pg_get_serial_sequence('events', 'global_position')")?;
            Ok(format!("GRANT SELECT ON SEQUENCE {} TO {};", sequence.unwrap_or_default(), user(conn)?))
        }
        #[cfg(any(feature = "sqlite", feature = "mysql"))]
        _ => reading(conn, &["events"]),
    }
}

fn user(conn: &mut Database) -> Result<String> {
    let quoted = match conn {
        #[cfg(feature = "sqlite")]
        Database::Sqlite(_) => "NULL", // has none
        #[cfg(feature = "postgres")]
        Database::Postgres(_) => "quote_ident(current_user)",
        #[cfg(feature = "mysql")]
        Database::Mysql(_) => {
            "CONCAT(QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', 1)), '@', \
             QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', -1)))"
        }
    };
    Ok(ask(conn, quoted)?.unwrap_or_default())
}

/// What stands before the name of a table.
fn place(conn: &mut Database) -> Result<String> {
    match conn {
        #[cfg(feature = "mysql")]
        Database::Mysql(_) => {
            Ok(ask(conn, "CONCAT('`', REPLACE(DATABASE(), '`', '``'), '`.')")?.unwrap_or_default())
        }
        #[cfg(any(feature = "sqlite", feature = "postgres"))]
        _ => Ok(String::new()),
    }
}
