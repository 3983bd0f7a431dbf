//! A database of its own for each test.

use std::env;
use std::error::Error;
use std::sync::atomic::{AtomicU32, Ordering};

use axum_orders::connection::AppConnection;
use axum_orders::stock;
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use tempfile::TempDir;

pub type Result<T = (), E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

pub enum Database {
    Sqlite(TempDir),
    Postgres { server: String, name: String },
}

impl Database {
    pub fn sqlite() -> Result<Self> {
        Ok(Self::Sqlite(tempfile::tempdir()?))
    }

    pub async fn postgres() -> Result<Self> {
        static CREATED: AtomicU32 = AtomicU32::new(0);
        let server = env::var("TEST_POSTGRES_URL").map_err(|_| "TEST_POSTGRES_URL is not set")?;
        let nth = CREATED.fetch_add(1, Ordering::Relaxed);
        let name = format!("axum_orders_{}_{nth}", std::process::id());
        let mut conn = AsyncPgConnection::establish(&server).await?;
        conn.batch_execute(&format!("CREATE DATABASE {name}")).await?;
        Ok(Self::Postgres { server, name })
    }

    pub fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => folder.path().join("orders.db").to_string_lossy().into_owned(),
            Self::Postgres { server, name } => {
                let (address, _) = server.rsplit_once('/').expect("a URL with a database");
                format!("{address}/{name}")
            }
        }
    }

    pub async fn supply(&self, article: &str, pieces: i32) -> Result {
        Ok(stock::supply(&mut AppConnection::open(&self.url()).await?, article, pieces).await?)
    }

    pub async fn left(&self, article: &str) -> Result<Option<i32>> {
        Ok(stock::left(&mut AppConnection::open(&self.url()).await?, article).await?)
    }

    pub async fn drop(self) -> Result {
        if let Self::Postgres { server, name } = self {
            let mut conn = AsyncPgConnection::establish(&server).await?;
            conn.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await?;
        }
        Ok(())
    }
}
