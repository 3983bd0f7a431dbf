//! What only a connection that blocks can do: here there is none.

use diesel::result::QueryResult;
#[cfg(feature = "transfer")]
use uuid::Uuid;

#[cfg(feature = "transfer")]
use crate::model::event::RecordedEvent;
#[cfg(feature = "transfer")]
use crate::model::position::Position;
use crate::storage::lent::NoDatabase;
use crate::storage::news::{Listener, News};
#[cfg(feature = "transfer")]
use crate::storage::receive::Receive;

impl News for NoDatabase<'_> {
    fn listen(&mut self) -> QueryResult<Listener> {
        match *self.0 {}
    }

    fn has_news(&mut self, _: &mut Listener) -> bool {
        match *self.0 {}
    }
}

#[cfg(feature = "transfer")]
impl Receive for NoDatabase<'_> {
    fn close(&mut self, _: Uuid, _: &str) -> QueryResult<()> {
        match *self.0 {}
    }

    fn receive(&mut self, _: &[RecordedEvent]) -> QueryResult<()> {
        match *self.0 {}
    }

    fn go_on_above(&mut self, _: Position) -> QueryResult<()> {
        match *self.0 {}
    }

    fn open(&mut self) -> QueryResult<()> {
        match *self.0 {}
    }

    fn discard(&mut self, _: Uuid) -> QueryResult<()> {
        match *self.0 {}
    }

    fn begin_snapshot(&mut self) -> QueryResult<()> {
        match *self.0 {}
    }

    fn end_snapshot(&mut self) -> QueryResult<()> {
        match *self.0 {}
    }
}
