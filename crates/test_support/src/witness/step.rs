//! What a writer does, one step at a time.

use diesel::Connection;
use diesel::connection::TransactionManager;
use diesel_event_store::{Error, EventConnection, EventStore, ExpectedVersion, NewEvent, StreamId};

type Manager<C> = <C as Connection>::TransactionManager;

/// Each event to an aggregate of its own, so that appends do not wait for each other.
pub fn append_one<C: EventConnection>(conn: &mut C, event_type: &str) -> Result<(), Error> {
    let stream = StreamId::new("Alone", event_type)?;
    let event = NewEvent::new(event_type.to_owned(), &())?;
    EventStore::new().append(conn, &stream, ExpectedVersion::NoStream, &[event])?;
    Ok(())
}

pub fn begin<C: Connection>(conn: &mut C) -> crate::Result {
    Ok(<Manager<C>>::begin_transaction(conn)?)
}

pub fn commit<C: Connection>(conn: &mut C) -> crate::Result {
    Ok(<Manager<C>>::commit_transaction(conn)?)
}

pub fn roll_back<C: Connection>(conn: &mut C) -> crate::Result {
    Ok(<Manager<C>>::rollback_transaction(conn)?)
}
