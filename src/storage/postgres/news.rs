use diesel::prelude::*;

use super::all_or_nothing::begin;
use crate::storage::connection::{ConnectionRef, EventConnection};
use crate::storage::error::DatabaseError;
use crate::storage::lent::Postgres;
use crate::storage::news::{Listener, News};
use crate::storage::now::now;

/// Sets whether each append notifies the channel `diesel_event_store`, on which a running
/// [`Runner`](crate::projection::Runner) listens: it then applies the events of other processes at once, and
/// not only when it looks for them. The setting is for the whole database. Default: off.
///
/// It costs: PostgreSQL lets transactions that notify commit only one after the other. A notification is a
/// wake-up, no more: one that is lost, because a connection breaks or a pooler stands between, is made up for
/// by looking.
///
/// The call waits for appends that are under way. Inside a transaction of the application it is part of that
/// transaction. On a connection to another database it does nothing.
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
    let mut open = now(begin(conn))?;
    let outcome = set_trigger(&mut open.conn, are_wanted);
    Ok(now(open.end(outcome))?)
}

fn set_trigger(conn: &mut PgConnection, is_wanted: bool) -> QueryResult<()> {
    diesel::sql_query("DROP TRIGGER IF EXISTS events_notify ON events").execute(conn)?;
    if is_wanted {
        let create = "CREATE TRIGGER events_notify AFTER INSERT ON events \
                      FOR EACH STATEMENT EXECUTE FUNCTION events_notify()";
        diesel::sql_query(create).execute(conn)?;
    }
    Ok(())
}

impl News for Postgres<'_, PgConnection> {
    fn listen(&mut self) -> QueryResult<Listener> {
        diesel::sql_query("LISTEN diesel_event_store").execute(self.0)?;
        Ok(Listener::Notified)
    }

    /// Looks at what has arrived, without asking the server.
    fn has_news(&mut self, _: &mut Listener) -> bool {
        // A connection that is lost says so for ever.
        self.0.notifications_iter().take_while(Result::is_ok).count() > 0
    }
}
