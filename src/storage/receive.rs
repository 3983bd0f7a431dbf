use diesel::result::QueryResult;
use uuid::Uuid;

use crate::model::append_key::NewKey;
use crate::model::event::RecordedEvent;
use crate::model::position::Position;
use crate::storage::lent::Blocking;
use crate::storage::operations::dispatch;

/// How an import fills a log past what keeps others out. Only on connections that block, because of
/// PostgreSQL's COPY.
pub(crate) trait Receive {
    /// Outside of transactions: much is going to be written. Returns what [`end_filling`](Self::end_filling)
    /// needs.
    fn begin_filling(&mut self) -> QueryResult<Option<i32>> {
        Ok(None)
    }

    /// The connection is as it was.
    fn end_filling(&mut self, _before: i32) -> QueryResult<()> {
        Ok(())
    }

    /// In the transaction that is open: waits for the appends that are under way, and lets no more begin.
    /// This log is the one with this id from now on. `false` if it is not open.
    fn close(&mut self, log_id: Uuid, note: &str) -> QueryResult<bool>;

    /// Outside of transactions: a log that is frozen with this note receives events from now on. `false` if it
    /// is not. Gives up as `Locked` if transactions that have read events do not end soon, and is tried again.
    fn close_again(&mut self, frozen: &str, note: &str) -> QueryResult<bool>;

    /// In the transaction that is open: inserts events at their positions into a log that is closed.
    fn receive(&mut self, events: &[RecordedEvent]) -> QueryResult<()>;

    /// In the transaction that is open: inserts events at their positions, where no reader is that asks for
    /// them.
    fn insert_recorded(&mut self, events: &[RecordedEvent]) -> QueryResult<()>;

    /// In the transaction that is open: a key that was used elsewhere, and is not used here.
    fn receive_key(&mut self, key: &NewKey<'_>) -> QueryResult<()>;

    /// The next event goes above this position. It is not undone by a rollback, on any database.
    fn go_on_above(&mut self, position: Position) -> QueryResult<()>;

    /// In the transaction that is open: lets appends begin again. On PostgreSQL it gives up as `Locked` if
    /// transactions that have read events do not end soon.
    fn open(&mut self) -> QueryResult<()>;

    /// Outside of transactions: empties a log that is closed, and opens it under this id.
    fn discard(&mut self, log_id: Uuid) -> QueryResult<()>;

    /// Begins a transaction that reads one state of everything.
    fn begin_snapshot(&mut self) -> QueryResult<()>;

    /// Ends it.
    fn end_snapshot(&mut self) -> QueryResult<()>;
}

impl Blocking<'_> {
    pub(crate) fn begin_filling(&mut self) -> QueryResult<Option<i32>> {
        dispatch!(self, database => database.begin_filling())
    }

    pub(crate) fn end_filling(&mut self, before: i32) -> QueryResult<()> {
        dispatch!(self, database => database.end_filling(before))
    }

    pub(crate) fn close(&mut self, log_id: Uuid, note: &str) -> QueryResult<bool> {
        dispatch!(self, database => database.close(log_id, note))
    }

    pub(crate) fn close_again(&mut self, frozen: &str, note: &str) -> QueryResult<bool> {
        dispatch!(self, database => database.close_again(frozen, note))
    }

    pub(crate) fn receive(&mut self, events: &[RecordedEvent]) -> QueryResult<()> {
        dispatch!(self, database => database.receive(events))
    }

    pub(crate) fn insert_recorded(&mut self, events: &[RecordedEvent]) -> QueryResult<()> {
        dispatch!(self, database => database.insert_recorded(events))
    }

    pub(crate) fn receive_key(&mut self, key: &NewKey<'_>) -> QueryResult<()> {
        dispatch!(self, database => database.receive_key(key))
    }

    pub(crate) fn go_on_above(&mut self, position: Position) -> QueryResult<()> {
        dispatch!(self, database => database.go_on_above(position))
    }

    pub(crate) fn open(&mut self) -> QueryResult<()> {
        dispatch!(self, database => database.open())
    }

    pub(crate) fn discard(&mut self, log_id: Uuid) -> QueryResult<()> {
        dispatch!(self, database => database.discard(log_id))
    }

    pub(crate) fn begin_snapshot(&mut self) -> QueryResult<()> {
        dispatch!(self, database => database.begin_snapshot())
    }

    pub(crate) fn end_snapshot(&mut self) -> QueryResult<()> {
        dispatch!(self, database => database.end_snapshot())
    }
}
