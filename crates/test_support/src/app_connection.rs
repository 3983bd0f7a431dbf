use diesel_event_store::event_connection;

use crate::{Result, TestDatabase};

/// An application's own choice of connections: to each database that is compiled in.
#[derive(diesel::MultiConnection)]
pub enum AppConnection {
    #[cfg(feature = "postgres")]
    Postgres(diesel::PgConnection),
    #[cfg(feature = "mysql")]
    Mysql(diesel::MysqlConnection),
    #[cfg(feature = "sqlite")]
    Sqlite(diesel::SqliteConnection),
}

event_connection!(AppConnection {
    #[cfg(feature = "postgres")]
    Postgres,
    #[cfg(feature = "mysql")]
    Mysql,
    #[cfg(feature = "sqlite")]
    Sqlite,
});

/// A database through the enum.
pub struct InAnEnum<D> {
    database: D,
}

impl<D: TestDatabase> TestDatabase for InAnEnum<D>
where
    AppConnection: From<D::Conn>,
{
    type Conn = AppConnection;
    const CREATING_COMMITS: bool = D::CREATING_COMMITS;

    fn create() -> Result<Self> {
        Ok(Self { database: D::create()? })
    }

    fn url(&self) -> String {
        self.database.url()
    }

    fn connect(&self) -> Result<AppConnection> {
        Ok(self.database.connect()?.into())
    }
}

#[cfg(feature = "postgres")]
impl From<diesel::PgConnection> for AppConnection {
    fn from(conn: diesel::PgConnection) -> Self {
        Self::Postgres(conn)
    }
}

#[cfg(feature = "mysql")]
impl From<diesel::MysqlConnection> for AppConnection {
    fn from(conn: diesel::MysqlConnection) -> Self {
        Self::Mysql(conn)
    }
}

#[cfg(feature = "sqlite")]
impl From<diesel::SqliteConnection> for AppConnection {
    fn from(conn: diesel::SqliteConnection) -> Self {
        Self::Sqlite(conn)
    }
}
