#[cfg(feature = "mysql")]
use diesel::mysql::MysqlConnection;
#[cfg(feature = "postgres")]
use diesel::pg::PgConnection;
#[cfg(feature = "r2d2")]
use diesel::r2d2::{ManageConnection, PooledConnection};
#[cfg(feature = "sqlite")]
use diesel::sqlite::SqliteConnection;

use crate::storage::lent::Blocking;
#[cfg(feature = "mysql")]
use crate::storage::lent::Mysql;
#[cfg(not(feature = "_blocking"))]
use crate::storage::lent::NoDatabase;
#[cfg(feature = "postgres")]
use crate::storage::lent::Postgres;
#[cfg(feature = "sqlite")]
use crate::storage::lent::Sqlite;
#[cfg(not(feature = "_blocking"))]
use crate::storage::no_connection::NoConnection;

/// One of diesel's own connections, lent by an [`EventConnection`].
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::{ConnectionRef, EventConnection};
///
/// let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// assert!(matches!(conn.lend(), ConnectionRef::Sqlite(_)));
/// ```
#[non_exhaustive]
pub enum ConnectionRef<'a> {
    /// A connection to SQLite.
    #[cfg(feature = "sqlite")]
    Sqlite(&'a mut SqliteConnection),
    /// A connection to PostgreSQL.
    #[cfg(feature = "postgres")]
    Postgres(&'a mut PgConnection),
    /// A connection to MySQL or MariaDB.
    #[cfg(feature = "mysql")]
    Mysql(&'a mut MysqlConnection),
    /// Every database that is compiled in is awaited, so no connection blocks.
    #[cfg(not(feature = "_blocking"))]
    #[doc(hidden)]
    None(&'a mut NoConnection),
}

/// The way from a lent connection to what the crate does with it.
pub(crate) trait HasDatabase: EventConnection {
    fn database(&mut self) -> Blocking<'_> {
        match self.lend() {
            #[cfg(feature = "sqlite")]
            ConnectionRef::Sqlite(conn) => Blocking::Sqlite(Sqlite(conn)),
            #[cfg(feature = "postgres")]
            ConnectionRef::Postgres(conn) => Blocking::Postgres(Postgres(conn)),
            #[cfg(feature = "mysql")]
            ConnectionRef::Mysql(conn) => Blocking::Mysql(Mysql(conn)),
            #[cfg(not(feature = "_blocking"))]
            ConnectionRef::None(conn) => Blocking::None(NoDatabase { 0: conn }),
        }
    }
}

impl<C: EventConnection + ?Sized> HasDatabase for C {}

/// A connection that events can be appended to and read from: everything that can lend one of diesel's own.
///
/// It is implemented for `SqliteConnection`, `PgConnection` and `MysqlConnection`, for a `Box` of one, and, with
/// the feature `r2d2`, for diesel's `PooledConnection`. For an application's own `#[derive(MultiConnection)]` enum,
/// [`event_connection!`](crate::event_connection) implements it. Any other wrapper can implement it in one
/// line, if it can lend the connection it wraps:
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::{ConnectionRef, EventConnection, EventStore};
///
/// struct Tenant {
///     conn: SqliteConnection,
/// }
///
/// impl EventConnection for Tenant {
///     fn lend(&mut self) -> ConnectionRef<'_> {
///         self.conn.lend()
///     }
/// }
///
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// let mut tenant = Tenant { conn: SqliteConnection::establish(":memory:").unwrap() };
/// diesel_event_store::run_pending_migrations(&mut tenant)?;
/// assert_eq!(EventStore::new().last_position(&mut tenant)?.get(), 0);
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a connection that diesel_event_store can use",
    note = "it can use diesel's `SqliteConnection`, `PgConnection` and `MysqlConnection`, a \
            `PooledConnection` of one (feature `r2d2`), and a `#[derive(MultiConnection)]` enum after \
            `event_connection!`; each database has a cargo feature"
)]
pub trait EventConnection {
    /// Lends the connection.
    fn lend(&mut self) -> ConnectionRef<'_>;
}

#[cfg(feature = "sqlite")]
impl EventConnection for SqliteConnection {
    fn lend(&mut self) -> ConnectionRef<'_> {
        ConnectionRef::Sqlite(self)
    }
}

#[cfg(feature = "postgres")]
impl EventConnection for PgConnection {
    fn lend(&mut self) -> ConnectionRef<'_> {
        ConnectionRef::Postgres(self)
    }
}

#[cfg(feature = "mysql")]
impl EventConnection for MysqlConnection {
    fn lend(&mut self) -> ConnectionRef<'_> {
        ConnectionRef::Mysql(self)
    }
}

#[cfg(feature = "r2d2")]
impl<M> EventConnection for PooledConnection<M>
where
    M: ManageConnection,
    M::Connection: EventConnection,
{
    fn lend(&mut self) -> ConnectionRef<'_> {
        (**self).lend()
    }
}

/// In an enum of connections a large one is better boxed.
impl<C: EventConnection + ?Sized> EventConnection for Box<C> {
    fn lend(&mut self) -> ConnectionRef<'_> {
        (**self).lend()
    }
}

/// It is lent on.
impl EventConnection for ConnectionRef<'_> {
    fn lend(&mut self) -> ConnectionRef<'_> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(conn) => ConnectionRef::Sqlite(conn),
            #[cfg(feature = "postgres")]
            Self::Postgres(conn) => ConnectionRef::Postgres(conn),
            #[cfg(feature = "mysql")]
            Self::Mysql(conn) => ConnectionRef::Mysql(conn),
            #[cfg(not(feature = "_blocking"))]
            Self::None(conn) => ConnectionRef::None(conn),
        }
    }
}

/// Implements [`EventConnection`](crate::EventConnection) for an application's `#[derive(MultiConnection)]`
/// enum. Name all its variants, with the attributes that decide whether they are there (`#[cfg(…)]`).
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::{EventStore, event_connection};
///
/// #[derive(diesel::MultiConnection)]
/// enum AppConnection {
///     Sqlite(SqliteConnection),
/// }
///
/// event_connection!(AppConnection { Sqlite });
///
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// let mut conn = AppConnection::establish(":memory:").unwrap();
/// diesel_event_store::run_pending_migrations(&mut conn)?;
/// conn.transaction(|conn| EventStore::new().last_position(conn))?;
/// # Ok(())
/// # }
/// ```
#[macro_export]
macro_rules! event_connection {
    ($connection:ty { $($(#[$attribute:meta])* $variant:ident),+ $(,)? }) => {
        impl $crate::EventConnection for $connection {
            fn lend(&mut self) -> $crate::ConnectionRef<'_> {
                match self {
                    $($(#[$attribute])* Self::$variant(connection) => $crate::EventConnection::lend(connection),)+
                }
            }
        }
    };
}
