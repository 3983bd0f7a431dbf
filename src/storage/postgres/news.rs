use diesel::prelude::*;

use crate::storage::lent::Postgres;
use crate::storage::news::{Listener, News};

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
