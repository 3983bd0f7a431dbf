use std::fmt;

use super::ask::ask;
use crate::database::Database;
use crate::failure::Result;

/// What the database is, as it says itself.
pub struct Engine {
    pub name: &'static str,
    pub version: String,
    /// Of SQLite: how it keeps what is being written.
    pub journal_mode: Option<String>,
}

impl Engine {
    pub fn of(conn: &mut Database) -> Result<Self> {
        let version = match conn {
            #[cfg(feature = "sqlite")]
            Database::Sqlite(_) => "sqlite_version()",
            #[cfg(feature = "postgres")]
            Database::Postgres(_) => "current_setting('server_version')",
            #[cfg(feature = "mysql")]
            Database::Mysql(_) => "VERSION()",
        };
        let said = ask(conn, version)?.unwrap_or_default();
        let name = if said.contains("MariaDB") { "MariaDB" } else { conn.name() };
        // What follows is about how it was built.
        let version = said.split([' ', '-']).next().unwrap_or_default().to_owned();
        Ok(Self { name, version, journal_mode: journal_mode(conn)? })
    }

    pub fn is_mariadb(&self) -> bool {
        self.name == "MariaDB"
    }
}

fn journal_mode(conn: &mut Database) -> Result<Option<String>> {
    match conn {
        #[cfg(feature = "sqlite")]
        Database::Sqlite(_) => Ok(ask(conn, "SELECT upper(journal_mode) FROM pragma_journal_mode")?),
        #[cfg(any(feature = "postgres", feature = "mysql"))]
        _ => Ok(None),
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)?;
        self.journal_mode.iter().try_for_each(|mode| write!(f, ", {mode}"))
    }
}
