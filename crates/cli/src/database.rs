#[cfg(any(feature = "postgres", feature = "mysql"))]
use diesel::Connection;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
use diesel::connection::SimpleConnection;
#[cfg(feature = "mysql")]
use diesel::mysql::MysqlConnection;
#[cfg(feature = "postgres")]
use diesel::pg::PgConnection;
#[cfg(feature = "sqlite")]
use diesel::sqlite::SqliteConnection;
use diesel_event_store::event_connection;

#[cfg(feature = "sqlite")]
use crate::commands::to_type::quoted;
use crate::failure::{Failure, Result};
use crate::secrets::shown;
#[cfg(feature = "sqlite")]
use crate::sqlite_file;

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

/// What the command does with the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Only looks: nothing can be changed.
    Look,
    /// Looks at a database that may not be there yet, and is empty then.
    LookAhead,
    Change,
    /// Changes it, and makes a file of SQLite that is not there.
    Create,
}

impl Database {
    pub fn open(url: Option<&str>, access: Access) -> Result<Self> {
        let Some(url) = url.filter(|url| !url.is_empty()) else {
            return Err(Failure::Usage("which database? Say --database-url, or set DATABASE_URL".into()));
        };
        let mut database = Self::connect(url, access)?;
        if matches!(access, Access::Look | Access::LookAhead) {
            database.only_read()?;
        }
        Ok(database)
    }

    fn connect(url: &str, access: Access) -> Result<Self> {
        match scheme(url) {
            Some("postgres" | "postgresql") => Self::postgres(url),
            Some("mysql") => Self::mysql(url),
            Some("mariadb") => Self::mysql(&url.replacen("mariadb", "mysql", 1)),
            // As diesel does: what follows is a path with an optional query, and has %20 for a space.
            Some("sqlite") => Self::sqlite(&url.replacen("sqlite://", "file:", 1), access),
            None if is_connection_string(url) => Err(unknown(url)),
            None | Some("file") => Self::sqlite(url, access),
            Some(_) => Err(unknown(url)),
        }
    }

    #[cfg(feature = "postgres")]
    fn postgres(url: &str) -> Result<Self> {
        PgConnection::establish(url).map(Self::Postgres).map_err(Failure::from)
    }

    #[cfg(not(feature = "postgres"))]
    fn postgres(_url: &str) -> Result<Self> {
        Err(not_compiled("PostgreSQL", "postgres"))
    }

    #[cfg(feature = "mysql")]
    fn mysql(url: &str) -> Result<Self> {
        MysqlConnection::establish(url).map(Self::Mysql).map_err(Failure::from)
    }

    #[cfg(not(feature = "mysql"))]
    fn mysql(_url: &str) -> Result<Self> {
        Err(not_compiled("MySQL and MariaDB", "mysql"))
    }

    #[cfg(feature = "sqlite")]
    fn sqlite(path: &str, access: Access) -> Result<Self> {
        let conn = match (sqlite_file::open(path)?, access) {
            (Some(conn), _) => conn,
            (None, Access::Create) => sqlite_file::create(path)?,
            (None, Access::LookAhead) => sqlite_file::create(":memory:")?,
            (None, Access::Look | Access::Change) => return Err(absent(path)),
        };
        Ok(Self::Sqlite(conn))
    }

    #[cfg(not(feature = "sqlite"))]
    fn sqlite(_path: &str, _access: Access) -> Result<Self> {
        Err(not_compiled("SQLite", "sqlite"))
    }

    /// From now on it refuses what would change anything. Not on MySQL, where readers of the log have to lock.
    fn only_read(&mut self) -> Result {
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

#[cfg(feature = "sqlite")]
fn absent(path: &str) -> Failure {
    let failure = Failure::new("no_database", format!("there is no file {path}"));
    failure.advice(format!("to make one: diesel-event-store migrate --database-url {}", quoted(path)))
}

#[cfg(not(all(feature = "sqlite", feature = "postgres", feature = "mysql")))]
fn not_compiled(database: &str, feature: &str) -> Failure {
    let failure = Failure::new("not_compiled", format!("this command was built without {database}"));
    failure.advice(format!("cargo install --path crates/cli --features {feature}"))
}

/// What stands before `://`.
fn scheme(url: &str) -> Option<&str> {
    let (scheme, _) = url.split_once("://")?;
    let is_one = scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    (is_one && scheme.starts_with(|c: char| c.is_ascii_alphabetic())).then_some(scheme)
}

/// Whether libpq would take it for one: `host=db user=shop`.
fn is_connection_string(url: &str) -> bool {
    let name = url.split_once('=').map(|(name, _)| name.trim());
    name.is_some_and(|name| {
        ["host", "hostaddr", "port", "dbname", "user", "password", "service"].contains(&name)
    })
}

fn unknown(url: &str) -> Failure {
    Failure::Usage(format!(
        "{} is no database that is known: name a file of SQLite, sqlite://…, postgres://…, postgresql://…, \
         mysql://… or mariadb://…",
        shown(url)
    ))
}
