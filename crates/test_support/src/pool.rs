use diesel::r2d2::{
    ConnectionManager, CustomizeConnection, Error, NopConnectionCustomizer, Pool, PooledConnection,
    R2D2Connection,
};

use crate::{Result, TestDatabase};

/// A database through the connections of an r2d2 pool.
pub struct InAPool<D: PoolDatabase> {
    // Dropped before the database.
    pool: Pool<ConnectionManager<D::Conn>>,
    database: D,
}

/// A database that a pool can connect to by itself.
pub trait PoolDatabase: TestDatabase<Conn: R2D2Connection> + 'static {
    /// How the pool sets a connection up.
    fn customizer() -> Box<dyn CustomizeConnection<Self::Conn, Error>> {
        Box::new(NopConnectionCustomizer)
    }
}

#[cfg(feature = "postgres")]
impl PoolDatabase for super::Postgres {}

#[cfg(feature = "mysql")]
impl PoolDatabase for super::Mysql {}

#[cfg(feature = "sqlite")]
impl PoolDatabase for super::Sqlite {
    fn customizer() -> Box<dyn CustomizeConnection<Self::Conn, Error>> {
        Box::new(diesel_event_store::sqlite::Options::default())
    }
}

impl<D: PoolDatabase> TestDatabase for InAPool<D> {
    type Conn = PooledConnection<ConnectionManager<D::Conn>>;
    const CREATING_COMMITS: bool = D::CREATING_COMMITS;

    fn create() -> Result<Self> {
        let database = D::create()?;
        let pool = Pool::builder()
            .max_size(16)
            .min_idle(Some(1))
            .connection_customizer(D::customizer())
            .build(ConnectionManager::new(database.url()))?;
        Ok(Self { pool, database })
    }

    fn url(&self) -> String {
        self.database.url()
    }

    fn connect(&self) -> Result<Self::Conn> {
        Ok(self.pool.get()?)
    }
}
