use diesel::pg::Pg;
use diesel::result::QueryResult;

use super::all_or_nothing::begin;
#[cfg(feature = "async-postgres")]
use crate::storage::asynchronous::connection::{AsyncConnectionRef, AsyncEventConnection};
#[cfg(feature = "postgres")]
use crate::storage::connection::{ConnectionRef, EventConnection};
use crate::storage::error::DatabaseError;
use crate::storage::executor::Executor;
#[cfg(feature = "postgres")]
use crate::storage::now::now;
use crate::storage::server::Server;

/// Sets whether each append notifies the channel `diesel_event_store`, on which a running
/// [`Runner`](crate::projection::Runner) listens: it then applies the events of other processes at once, and
/// not only when it looks for them. The setting is for the whole database. Default: off.
///
/// It costs: PostgreSQL lets transactions that notify commit only one after the other. A notification is a
/// wake-up, no more: one that is lost, because a connection breaks or a pooler stands between, is made up for
/// by looking.
///
/// The call waits for appends that are under way. Inside a transaction of the application it is part of that
/// transaction. Only the owner of the tables may call it. On a connection to another database it does
/// nothing.
///
/// # Errors
///
/// [`DatabaseError`].
///
/// ```no_run
/// use diesel::prelude::*;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut conn = PgConnection::establish("postgres://localhost/shop")?;
/// diesel_event_store::postgres::set_append_notifications(&mut conn, true)?;
/// # Ok(())
/// # }
/// ```
#[cfg(feature = "postgres")]
pub fn set_append_notifications<C>(conn: &mut C, are_wanted: bool) -> Result<(), DatabaseError>
where
    C: EventConnection + ?Sized,
{
    #[allow(irrefutable_let_patterns)] // It is not, with another database compiled in.
    let ConnectionRef::Postgres(conn) = conn.lend() else { return Ok(()) };
    Ok(now(set(conn, are_wanted))?)
}

/// `set_append_notifications` on a connection that is awaited: sets whether each append notifies the channel
/// `diesel_event_store`, on which runners on threads listen.
///
/// If the future is dropped, it has happened wholly or not at all. In the middle, it marks the connection as
/// broken.
///
/// # Errors
///
/// [`DatabaseError`].
///
/// ```no_run
/// use diesel_async::{AsyncConnection, AsyncPgConnection};
/// use diesel_event_store::postgres::async_set_append_notifications;
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut conn = AsyncPgConnection::establish("postgres://localhost/shop").await?;
/// async_set_append_notifications(&mut conn, true).await?;
/// # Ok(())
/// # }
/// ```
#[cfg(feature = "async-postgres")]
pub async fn async_set_append_notifications<C>(conn: &mut C, are_wanted: bool) -> Result<(), DatabaseError>
where
    C: AsyncEventConnection + ?Sized,
{
    #[allow(irrefutable_let_patterns)] // It is not, with another database compiled in.
    let AsyncConnectionRef::Postgres(conn) = conn.lend() else { return Ok(()) };
    Ok(set(conn, are_wanted).await?)
}

async fn set<C: Server<Backend = Pg>>(conn: &mut C, are_wanted: bool) -> QueryResult<()> {
    let mut open = begin(conn).await?;
    let outcome = set_trigger(&mut *open.conn, are_wanted).await;
    open.end(outcome).await
}

async fn set_trigger<C: Executor<Backend = Pg>>(conn: &mut C, is_wanted: bool) -> QueryResult<()> {
    conn.execute(diesel::sql_query("DROP TRIGGER IF EXISTS events_notify ON events")).await?;
    if is_wanted {
        let create = "CREATE TRIGGER events_notify AFTER INSERT ON events \
                      FOR EACH STATEMENT EXECUTE FUNCTION events_notify()";
        conn.execute(diesel::sql_query(create)).await?;
    }
    Ok(())
}
