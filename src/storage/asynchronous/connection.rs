#[cfg(feature = "async-sqlite")]
use diesel::sqlite::SqliteConnection;
#[cfg(feature = "async-mysql")]
use diesel_async::AsyncMysqlConnection;
#[cfg(feature = "async-postgres")]
use diesel_async::AsyncPgConnection;
#[cfg(feature = "async-sqlite")]
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;

#[cfg(any(feature = "async-mysql", feature = "async-postgres"))]
use crate::storage::asynchronous::server::give_up;
#[cfg(feature = "async-sqlite")]
use crate::storage::asynchronous::sqlite;
use crate::storage::give_up::GiveUp;

/// One of diesel-async's own connections, lent by an [`AsyncEventConnection`].
#[non_exhaustive]
pub enum AsyncConnectionRef<'a> {
    /// A connection to SQLite.
    #[cfg(feature = "async-sqlite")]
    Sqlite(&'a mut SyncConnectionWrapper<SqliteConnection>),
    /// A connection to PostgreSQL.
    #[cfg(feature = "async-postgres")]
    Postgres(&'a mut AsyncPgConnection),
    /// A connection to MySQL or MariaDB.
    #[cfg(feature = "async-mysql")]
    Mysql(&'a mut AsyncMysqlConnection),
}

/// A connection of the crate `diesel-async` that events can be appended to and read from: everything that can
/// lend one of its own.
///
/// It is implemented for `AsyncPgConnection` (feature `async-postgres`), for `AsyncMysqlConnection` (feature
/// `async-mysql`), for `SyncConnectionWrapper<SqliteConnection>` (feature `async-sqlite`), and for the
/// connections of the pools bb8, deadpool and mobc (features `bb8`, `deadpool`, `mobc`). For an enum of an
/// application's own, [`async_event_connection!`](crate::async_event_connection) implements it. Any other
/// wrapper can implement it in one line, if it can lend the connection it wraps:
///
#[cfg_attr(feature = "async-postgres", doc = "```")]
#[cfg_attr(not(feature = "async-postgres"), doc = "```ignore")]
/// use diesel_async::AsyncPgConnection;
/// use diesel_event_store::{AsyncConnectionRef, AsyncEventConnection};
///
/// struct Tenant {
///     conn: AsyncPgConnection,
/// }
///
/// impl AsyncEventConnection for Tenant {
///     fn lend(&mut self) -> AsyncConnectionRef<'_> {
///         self.conn.lend()
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a connection that diesel_event_store can use asynchronously",
    note = "it can use diesel-async's `AsyncPgConnection` (feature `async-postgres`), \
            `AsyncMysqlConnection` (feature `async-mysql`) and `SyncConnectionWrapper<SqliteConnection>` \
            (feature `async-sqlite`), a pooled connection of one (features `bb8`, `deadpool`, `mobc`), and an \
            enum after `async_event_connection!`"
)]
pub trait AsyncEventConnection: Send {
    /// Lends the connection.
    fn lend(&mut self) -> AsyncConnectionRef<'_>;
}

#[cfg(feature = "async-sqlite")]
impl AsyncEventConnection for SyncConnectionWrapper<SqliteConnection> {
    fn lend(&mut self) -> AsyncConnectionRef<'_> {
        AsyncConnectionRef::Sqlite(self)
    }
}

#[cfg(feature = "async-postgres")]
impl AsyncEventConnection for AsyncPgConnection {
    fn lend(&mut self) -> AsyncConnectionRef<'_> {
        AsyncConnectionRef::Postgres(self)
    }
}

#[cfg(feature = "async-mysql")]
impl AsyncEventConnection for AsyncMysqlConnection {
    fn lend(&mut self) -> AsyncConnectionRef<'_> {
        AsyncConnectionRef::Mysql(self)
    }
}

/// In an enum of connections a large one is better boxed.
impl<C: AsyncEventConnection + ?Sized> AsyncEventConnection for Box<C> {
    fn lend(&mut self) -> AsyncConnectionRef<'_> {
        (**self).lend()
    }
}

/// It is lent on.
impl AsyncEventConnection for AsyncConnectionRef<'_> {
    fn lend(&mut self) -> AsyncConnectionRef<'_> {
        match self {
            #[cfg(feature = "async-sqlite")]
            Self::Sqlite(conn) => AsyncConnectionRef::Sqlite(conn),
            #[cfg(feature = "async-postgres")]
            Self::Postgres(conn) => AsyncConnectionRef::Postgres(conn),
            #[cfg(feature = "async-mysql")]
            Self::Mysql(conn) => AsyncConnectionRef::Mysql(conn),
        }
    }
}

impl GiveUp for AsyncConnectionRef<'_> {
    fn give_up(&mut self) {
        match self {
            #[cfg(feature = "async-sqlite")]
            Self::Sqlite(conn) => sqlite::give_up(conn),
            #[cfg(feature = "async-postgres")]
            Self::Postgres(conn) => give_up(*conn),
            #[cfg(feature = "async-mysql")]
            Self::Mysql(conn) => give_up(*conn),
        }
    }
}

/// Implements [`AsyncEventConnection`](crate::AsyncEventConnection) for an application's enum of connections.
/// Name all its variants, with the attributes that decide whether they are there (`#[cfg(…)]`).
///
#[cfg_attr(all(feature = "async-postgres", feature = "async-sqlite"), doc = "```")]
#[cfg_attr(not(all(feature = "async-postgres", feature = "async-sqlite")), doc = "```ignore")]
/// use diesel::sqlite::SqliteConnection;
/// use diesel_async::AsyncPgConnection;
/// use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
/// use diesel_event_store::{AsyncEventStore, async_event_connection};
///
/// enum AppConnection {
///     Sqlite(SyncConnectionWrapper<SqliteConnection>),
///     Postgres(Box<AsyncPgConnection>),
/// }
///
/// async_event_connection!(AppConnection { Sqlite, Postgres });
///
/// async fn print_position(conn: &mut AppConnection) -> Result<(), diesel_event_store::Error> {
///     println!("{}", AsyncEventStore::new().last_position(conn).await?);
///     Ok(())
/// }
/// ```
#[macro_export]
macro_rules! async_event_connection {
    ($connection:ty { $($(#[$attribute:meta])* $variant:ident),+ $(,)? }) => {
        impl $crate::AsyncEventConnection for $connection {
            fn lend(&mut self) -> $crate::AsyncConnectionRef<'_> {
                match self {
                    $(
                        $(#[$attribute])*
                        Self::$variant(connection) => $crate::AsyncEventConnection::lend(connection),
                    )+
                }
            }
        }
    };
}
