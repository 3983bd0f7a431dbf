#[cfg(feature = "async-sqlite")]
use diesel::result::Error;
#[cfg(feature = "async-sqlite")]
use diesel::sqlite::SqliteConnection;
#[cfg(feature = "async-sqlite")]
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;

#[cfg(feature = "async-sqlite")]
use crate::storage::blocking;

/// Evaluates an operation on the database behind an asynchronous connection. On a server it is awaited
/// statement by statement. On SQLite, which has no asynchronous interface, the whole operation runs on one of
/// the runtime's threads, and is not cut in two when its future is dropped. What it borrows is cloned for
/// that thread.
macro_rules! awaited {
    ($conn:expr, clone ($($argument:ident: $clone:expr),* $(,)?), $database:ident => $operation:expr) => {
        match $crate::storage::asynchronous::connection::AsyncEventConnection::lend($conn) {
            #[cfg(feature = "async-sqlite")]
            $crate::storage::asynchronous::connection::AsyncConnectionRef::Sqlite(conn) => {
                $(let $argument = $clone;)*
                $crate::storage::asynchronous::awaited::on_thread(conn, move |conn| {
                    $(let $argument = &$argument;)*
                    let $database = &mut $crate::storage::lent::Sqlite(conn);
                    $crate::storage::now::now($operation)
                })
                .await
            }
            #[cfg(feature = "async-postgres")]
            $crate::storage::asynchronous::connection::AsyncConnectionRef::Postgres(conn) => {
                let $database = &mut $crate::storage::lent::Postgres(conn);
                $operation.await
            }
            #[cfg(feature = "async-mysql")]
            $crate::storage::asynchronous::connection::AsyncConnectionRef::Mysql(conn) => {
                let mut conn = $crate::storage::asynchronous::in_turn::InTurn::new(conn);
                let $database = &mut $crate::storage::lent::Mysql(&mut conn);
                $operation.await
            }
        }
    };
}

pub(crate) use awaited;

/// Does nothing on a connection that was given up: SQLite would go on in the transaction that was left open.
#[cfg(feature = "async-sqlite")]
pub(crate) async fn on_thread<T, E>(
    conn: &mut SyncConnectionWrapper<SqliteConnection>,
    operation: impl FnOnce(&mut SqliteConnection) -> Result<T, E> + Send + 'static,
) -> Result<T, E>
where
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    conn.spawn_blocking(move |conn| {
        blocking::depth(conn)?;
        Ok(operation(conn))
    })
    .await?
}
