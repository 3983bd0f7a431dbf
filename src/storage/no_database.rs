//! What only a connection that blocks can do: here there is none.

use diesel::result::QueryResult;

use crate::storage::lent::NoDatabase;
use crate::storage::news::{Listener, News};

impl News for NoDatabase<'_> {
    fn listen(&mut self) -> QueryResult<Listener> {
        match *self.0 {}
    }

    fn has_news(&mut self, _: &mut Listener) -> bool {
        match *self.0 {}
    }
}
