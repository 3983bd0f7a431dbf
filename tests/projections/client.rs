use diesel::Connection;
use diesel_event_store::EventConnection;

/// A connection that a process can open that knows nothing but the URL.
pub trait Client: Connection + EventConnection + 'static {
    fn open(url: &str) -> test_support::Result<Self>;
}

#[cfg(feature = "sqlite")]
impl Client for diesel::SqliteConnection {
    /// Waits for the write lock however busy the machine is.
    fn open(url: &str) -> test_support::Result<Self> {
        use std::time::Duration;

        use diesel_event_store::sqlite::Options;

        let mut conn = Self::establish(url)?;
        Options::default().busy_timeout(Duration::from_secs(60)).apply(&mut conn)?;
        Ok(conn)
    }
}

#[cfg(feature = "postgres")]
impl Client for diesel::PgConnection {
    fn open(url: &str) -> test_support::Result<Self> {
        Ok(Self::establish(url)?)
    }
}

#[cfg(feature = "mysql")]
impl Client for diesel::MysqlConnection {
    fn open(url: &str) -> test_support::Result<Self> {
        Ok(Self::establish(url)?)
    }
}

/// What a process does, whatever its URL leads to.
pub trait Job {
    fn run<C: Client>(self, url: &str);
}

pub fn on_database(url: &str, job: impl Job) {
    match url.split_once("://") {
        #[cfg(feature = "postgres")]
        Some(("postgres" | "postgresql", _)) => job.run::<diesel::PgConnection>(url),
        #[cfg(feature = "mysql")]
        Some(("mysql", _)) => job.run::<diesel::MysqlConnection>(url),
        #[cfg(feature = "sqlite")]
        None => job.run::<diesel::SqliteConnection>(url),
        _ => panic!("{url} leads to no database that is compiled in"),
    }
}
