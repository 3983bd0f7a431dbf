//! A database through a connection that was lent.

#[cfg(feature = "mysql")]
use diesel::mysql::MysqlConnection;
#[cfg(feature = "postgres")]
use diesel::pg::PgConnection;
#[cfg(feature = "sqlite")]
use diesel::sqlite::SqliteConnection;

use crate::storage::executor::Executor;
use crate::storage::give_up::GiveUp;
#[cfg(not(feature = "_blocking"))]
use crate::storage::no_connection::NoConnection;

#[cfg(feature = "sqlite")]
pub(crate) struct Sqlite<'a>(pub(crate) &'a mut SqliteConnection);

#[cfg(feature = "_postgres")]
pub(crate) struct Postgres<'a, C>(pub(crate) &'a mut C);

/// MySQL or MariaDB.
#[cfg(feature = "_mysql")]
pub(crate) struct Mysql<'a, C>(pub(crate) &'a mut C);

/// A database through a connection that blocks. Each trait of this floor gives it methods of the same names,
/// which are not `async`.
pub(crate) enum Blocking<'a> {
    #[cfg(feature = "sqlite")]
    Sqlite(Sqlite<'a>),
    #[cfg(feature = "postgres")]
    Postgres(Postgres<'a, PgConnection>),
    #[cfg(feature = "mysql")]
    Mysql(Mysql<'a, MysqlConnection>),
    /// Every database that is compiled in is awaited.
    #[cfg(not(feature = "_blocking"))]
    None(NoDatabase<'a>),
}

/// Any will do.
#[cfg(all(not(feature = "_blocking"), feature = "_postgres"))]
pub(crate) type NoDatabase<'a> = Postgres<'a, NoConnection>;
#[cfg(not(any(feature = "_blocking", feature = "_postgres")))]
pub(crate) type NoDatabase<'a> = Mysql<'a, NoConnection>;

/// It is not left in the middle.
impl GiveUp for Blocking<'_> {
    fn give_up(&mut self) {}
}

/// On an asynchronous connection, too, an operation runs to its end before the connection is free again.
#[cfg(feature = "sqlite")]
impl GiveUp for Sqlite<'_> {
    fn give_up(&mut self) {}
}

/// For the operations whose statements are the same on every database.
pub(crate) trait Lent: Send {
    type Connection: Executor;

    fn connection(&mut self) -> &mut Self::Connection;
}

/// The backend of a lent connection.
pub(crate) type BackendOf<L> = <<L as Lent>::Connection as Executor>::Backend;

#[cfg(feature = "sqlite")]
impl Lent for Sqlite<'_> {
    type Connection = SqliteConnection;

    fn connection(&mut self) -> &mut SqliteConnection {
        self.0
    }
}

#[cfg(feature = "_postgres")]
impl<C: GiveUp> GiveUp for Postgres<'_, C> {
    fn give_up(&mut self) {
        self.0.give_up();
    }
}

#[cfg(feature = "_postgres")]
impl<C: Executor> Lent for Postgres<'_, C> {
    type Connection = C;

    fn connection(&mut self) -> &mut C {
        self.0
    }
}

#[cfg(feature = "_mysql")]
impl<C: GiveUp> GiveUp for Mysql<'_, C> {
    fn give_up(&mut self) {
        self.0.give_up();
    }
}

#[cfg(feature = "_mysql")]
impl<C: Executor> Lent for Mysql<'_, C> {
    type Connection = C;

    fn connection(&mut self) -> &mut C {
        self.0
    }
}
