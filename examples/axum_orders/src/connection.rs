//! Connections to SQLite or to PostgreSQL, whichever the URL names, and their pool.

use std::time::Duration;

use deadpool::managed::{Manager, Metrics, RecycleError, RecycleResult};
use diesel::sqlite::SqliteConnection;
use diesel::{ConnectionError, ConnectionResult};
use diesel_async::pooled_connection::PoolableConnection;
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use diesel_event_store::{async_event_connection, sqlite};

pub enum AppConnection {
    Sqlite(SyncConnectionWrapper<SqliteConnection>),
    Postgres(Box<AsyncPgConnection>),
}

async_event_connection!(AppConnection { Sqlite, Postgres });

/// Awaits a query or a method of diesel-async on the connection that is held, whichever it is.
macro_rules! on {
    ($app:expr, $conn:ident => $work:expr) => {
        match $app {
            $crate::connection::AppConnection::Sqlite($conn) => $work.await,
            $crate::connection::AppConnection::Postgres($conn) => $work.await,
        }
    };
}
pub(crate) use on;

impl AppConnection {
    pub async fn open(url: &str) -> ConnectionResult<Self> {
        if url.starts_with("postgres") {
            return Ok(Self::Postgres(Box::new(AsyncPgConnection::establish(url).await?)));
        }
        let mut conn = SyncConnectionWrapper::<SqliteConnection>::establish(url).await?;
        let applied = sqlite::Options::default().async_apply(&mut conn).await;
        applied.map_err(|error| ConnectionError::BadConnection(error.to_string()))?;
        Ok(Self::Sqlite(conn))
    }

    pub async fn batch_execute(&mut self, sql: &str) -> diesel::QueryResult<()> {
        on!(self, conn => conn.batch_execute(sql))
    }

    /// After its future was dropped in the middle of a transaction, for instance.
    fn is_broken(&mut self) -> bool {
        match self {
            Self::Sqlite(conn) => conn.is_broken(),
            Self::Postgres(conn) => conn.is_broken(),
        }
    }
}

pub type Pool = deadpool::managed::Pool<Connections>;

/// Opens the connections of a [`Pool`].
pub struct Connections {
    url: String,
}

impl Manager for Connections {
    type Type = AppConnection;
    type Error = ConnectionError;

    async fn create(&self) -> ConnectionResult<AppConnection> {
        AppConnection::open(&self.url).await
    }

    async fn recycle(&self, conn: &mut AppConnection, _: &Metrics) -> RecycleResult<ConnectionError> {
        match conn.is_broken() {
            true => Err(RecycleError::message("its transaction was given up")),
            false => Ok(()),
        }
    }
}

/// A request that waits too long for a connection is refused rather than kept.
pub fn pool(url: &str, size: usize) -> Result<Pool, deadpool::managed::BuildError> {
    Pool::builder(Connections { url: url.to_owned() })
        .max_size(size)
        .wait_timeout(Some(Duration::from_secs(10)))
        .runtime(deadpool::Runtime::Tokio1)
        .build()
}
