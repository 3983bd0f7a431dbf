use diesel::prelude::*;

use crate::storage::connection::ConnectionRef;
use crate::storage::connection::EventConnection;
use crate::storage::error::DatabaseError;
use crate::storage::listener::Listener;

/// Whether each append notifies whoever listens on the channel `diesel_event_store`, as a running
/// [`Runner`](crate::projection::Runner) does: then the events of other processes are applied at once, and not only when it looks
/// for them. It is off unless it was switched on, for the whole database.
///
/// It costs: PostgreSQL lets transactions that notify commit only one after the other. And it is a hint, no more: a notification
/// that is lost, when a connection breaks or a pooler stands between, is made up for by looking.
///
/// It waits for appends that are under way. Inside a transaction of the application's it is part of that. On a connection to
/// another database it does nothing.
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
pub fn set_append_notifications<C>(conn: &mut C, are_wanted: bool) -> Result<(), DatabaseError>
where
    C: EventConnection + ?Sized,
{
    #[allow(irrefutable_let_patterns)] // It is not, with another database compiled in.
    let ConnectionRef::Postgres(conn) = conn.lend() else { return Ok(()) };
    conn.transaction(|conn| {
        diesel::sql_query("DROP TRIGGER IF EXISTS events_notify ON events").execute(conn)?;
        if are_wanted {
            let create = "CREATE TRIGGER events_notify AFTER INSERT ON events \
                          FOR EACH STATEMENT EXECUTE FUNCTION events_notify()";
            diesel::sql_query(create).execute(conn)?;
        }
        Ok(())
    })
}

pub(super) fn listen(conn: &mut PgConnection) -> QueryResult<Listener> {
    diesel::sql_query("LISTEN diesel_event_store").execute(conn)?;
    Ok(Listener::Notified)
}

/// Looks at what has arrived, without asking the server.
pub(super) fn has_news(conn: &mut PgConnection) -> bool {
    // A connection that is lost says so for ever.
    conn.notifications_iter().take_while(Result::is_ok).count() > 0
}
