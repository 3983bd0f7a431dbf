#[cfg(feature = "sqlite")]
use std::path::Path;

use diesel::Connection;
#[cfg(all(feature = "browse", any(feature = "sqlite", feature = "postgres")))]
use diesel::connection::SimpleConnection;
#[cfg(feature = "mysql")]
use diesel::mysql::MysqlConnection;
#[cfg(feature = "postgres")]
use diesel::pg::PgConnection;
#[cfg(feature = "sqlite")]
use diesel::sqlite::SqliteConnection;
use diesel_event_store::event_connection;

use crate::failure::{Failure, Result};

/// The database of the command.
pub enum Database {
    #[cfg(feature = "sqlite")]
    Sqlite(SqliteConnection),
    #[cfg(feature = "postgres")]
    Postgres(PgConnection),
    #[cfg(feature = "mysql")]
    Mysql(MysqlConnection),
}

event_connection!(Database {
    #[cfg(feature = "sqlite")]
    Sqlite,
    #[cfg(feature = "postgres")]
    Postgres,
    #[cfg(feature = "mysql")]
    Mysql,
});

/// What is done about a file of SQLite that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    Create,
    Refuse,
    /// An empty database, as it would be, and no file.
    Pretend,
}

impl Database {
    pub fn open(url: Option<&str>, absent: Absent) -> Result<Self> {
        let Some(url) = url else {
            return Err(Failure::Usage("which database? Say --database-url, or set DATABASE_URL".into()));
        };
        match url.split_once("://").map(|(scheme, _)| scheme) {
            Some("postgres" | "postgresql") => Self::postgres(url),
            Some("mysql") => Self::mysql(url),
            Some("mariadb") => Self::mysql(&url.replacen("mariadb", "mysql", 1)),
            _ => Self::sqlite(url.strip_prefix("sqlite://").unwrap_or(url), absent),
        }
    }

    #[cfg(feature = "postgres")]
    fn postgres(url: &str) -> Result<Self> {
        PgConnection::establish(url).map(Self::Postgres).map_err(unreachable)
    }

    #[cfg(not(feature = "postgres"))]
    fn postgres(_url: &str) -> Result<Self> {
        Err(not_compiled("PostgreSQL", "postgres"))
    }

    #[cfg(feature = "mysql")]
    fn mysql(url: &str) -> Result<Self> {
        MysqlConnection::establish(url).map(Self::Mysql).map_err(unreachable)
    }

    #[cfg(not(feature = "mysql"))]
    fn mysql(_url: &str) -> Result<Self> {
        Err(not_compiled("MySQL and MariaDB", "mysql"))
    }

    #[cfg(feature = "sqlite")]
    fn sqlite(path: &str, absent: Absent) -> Result<Self> {
        let path = match absent {
            _ if path.starts_with("file:") || Path::new(path).exists() => path,
            Absent::Create => path,
            Absent::Pretend => ":memory:",
            Absent::Refuse => {
                let failure = Failure::new("no_database", format!("there is no file {path}"));
                return Err(
                    failure.advice(format!("to make one: diesel-event-store migrate --database-url {path}"))
                );
            }
        };
        let mut conn = SqliteConnection::establish(path).map_err(unreachable)?;
        diesel_event_store::sqlite::Options::default().apply(&mut conn)?;
        Ok(Self::Sqlite(conn))
    }

    #[cfg(not(feature = "sqlite"))]
    fn sqlite(_path: &str, _absent: Absent) -> Result<Self> {
        Err(not_compiled("SQLite", "sqlite"))
    }

    /// From now on it refuses what would change anything. Not on MySQL, where readers of the log have to lock.
    #[cfg(feature = "browse")]
    pub fn only_read(&mut self) -> Result {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(conn) => conn.batch_execute("PRAGMA query_only = 1")?,
            #[cfg(feature = "postgres")]
            Self::Postgres(conn) => conn.batch_execute("SET default_transaction_read_only = on")?,
            #[cfg(feature = "mysql")]
            Self::Mysql(_) => {}
        }
        Ok(())
    }

    pub fn name(&self) -> &'static str {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => "SQLite",
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => "PostgreSQL",
            #[cfg(feature = "mysql")]
            Self::Mysql(_) => "MySQL",
        }
    }
}

fn unreachable(error: diesel::ConnectionError) -> Failure {
    Failure::new("no_connection", error)
}

#[cfg(not(all(feature = "sqlite", feature = "postgres", feature = "mysql")))]
fn not_compiled(database: &str, feature: &str) -> Failure {
    let failure = Failure::new("not_compiled", format!("this command was built without {database}"));
    failure.advice(format!("cargo install --path crates/cli --features {feature}"))
}

/// The URL as it may be shown.
pub fn shown(url: &str) -> String {
    without_password(url, Some(url))
}

/// A text without the password that is in the URL.
pub fn without_password(text: &str, url: Option<&str>) -> String {
    match url.and_then(password) {
        Some(password) => text.replace(&format!(":{password}@"), ":***@").replace(password, "***"),
        None => text.to_owned(),
    }
}

fn password(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let (user, _) = rest.rsplit_once('@')?;
    let (_, password) = user.split_once(':')?;
    (!password.is_empty()).then_some(password)
}
