//! Through pools of one connection: the next task that asks gets one that can be trusted.

use async_suite::{AsyncMysql, AsyncPostgres, RUNTIME, Result, TestDatabase};
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, PoolError, PoolableConnection, bb8, deadpool,
};
use mobc::async_trait;
use real::AsyncEventConnection;

use super::application::transaction;
use super::database::Database;
use super::dropped::Drops;
use super::operation::{Operation, Run};

type Manager<D> = AsyncDieselConnectionManager<<D as Database>::Awaited>;

/// diesel-async's manager says of connections that are broken that they are valid, and of others that they
/// are not.
struct Validated<M>(M);

#[async_trait]
impl<M> mobc::Manager for Validated<M>
where
    M: mobc::Manager<Error = PoolError>,
    M::Connection: PoolableConnection,
{
    type Connection = M::Connection;
    type Error = PoolError;

    async fn connect(&self) -> Result<M::Connection, PoolError> {
        self.0.connect().await
    }

    async fn check(&self, conn: M::Connection) -> Result<M::Connection, PoolError> {
        self.0.check(conn).await
    }

    fn validate(&self, conn: &mut M::Connection) -> bool {
        !conn.is_broken()
    }
}

/// An append, and what opens a transaction.
const OPERATIONS: [Operation; 9] = [
    Operation::Append,
    Operation::WriteTransaction,
    Operation::Transaction,
    Operation::AppendBatch,
    Operation::Execute,
    Operation::RewindCheckpoint,
    Operation::Repartition,
    Operation::Promote,
    Operation::Repair,
];

/// In a macro, because each pool lends a type of its own.
macro_rules! test_pool {
    ($name:ident, $database:ident, $url:ident => $pool:expr) => {
        #[test]
        fn $name() -> Result {
            let database = $database::of_an_application()?;
            let $url = database.url();
            let mut witness = database.connect()?;
            let pool = RUNTIME.block_on(async { Ok::<_, async_suite::BoxError>($pool) })?;
            for (operation, in_a_transaction) in OPERATIONS.into_iter().flat_map(|o| [(o, false), (o, true)])
            {
                for drops in Drops::all() {
                    let name = format!("{operation:?} {drops:?} {in_a_transaction}");
                    let (run, next) = (Run::new(&name)?, Run::new(&format!("after {name}"))?);
                    let finished = RUNTIME.block_on(async {
                        let mut conn = pool.get().await?;
                        let finished = if in_a_transaction {
                            drops.cut(transaction(&mut *conn, operation, &run)).await
                        } else {
                            drops.cut(operation.run(&mut conn, &run)).await
                        };
                        Ok::<_, async_suite::BoxError>(finished.transpose()?.is_some())
                    })?;
                    RUNTIME.block_on(async {
                        let mut conn = pool.get().await?;
                        Ok::<_, async_suite::BoxError>(append(&mut conn, &next).await?)
                    })?;
                    assert_eq!(next.versions(&mut witness)?[0], 1, "acknowledged after {name}");
                    run.check(operation, &mut witness)?;
                    if finished {
                        break;
                    }
                }
            }
            Ok(())
        }
    };
}

async fn append<C: AsyncEventConnection>(conn: &mut C, run: &Run) -> Result<(), real::AppendError> {
    run.append(conn).await
}

test_pool!(a_connection_of_bb8_can_be_trusted_postgres, AsyncPostgres, url => {
    bb8::Pool::builder().max_size(1).build(Manager::<AsyncPostgres>::new(url)).await?
});

test_pool!(a_connection_of_bb8_can_be_trusted_mysql, AsyncMysql, url => {
    bb8::Pool::builder().max_size(1).build(Manager::<AsyncMysql>::new(url)).await?
});

test_pool!(a_connection_of_deadpool_can_be_trusted_postgres, AsyncPostgres, url => {
    deadpool::Pool::builder(Manager::<AsyncPostgres>::new(url)).max_size(1).build()?
});

test_pool!(a_connection_of_deadpool_can_be_trusted_mysql, AsyncMysql, url => {
    deadpool::Pool::builder(Manager::<AsyncMysql>::new(url)).max_size(1).build()?
});

test_pool!(a_connection_of_mobc_can_be_trusted_postgres, AsyncPostgres, url => {
    mobc::Pool::builder().max_open(1).build(Validated(Manager::<AsyncPostgres>::new(url)))
});

test_pool!(a_connection_of_mobc_can_be_trusted_mysql, AsyncMysql, url => {
    mobc::Pool::builder().max_open(1).build(Validated(Manager::<AsyncMysql>::new(url)))
});
