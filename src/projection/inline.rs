use std::borrow::Cow;

use super::definition::Projection;
use super::handler::HandlerError;
use super::kind::Kind;
use crate::model::event::RecordedEvent;

impl<C> Projection<C> {
    /// Applies events in the transaction that is open, such as those that were just appended in it: an
    /// *inline* projection, whose read model is never behind. Events that its filter does not let through are
    /// passed over.
    ///
    /// No checkpoint is moved, so a projection is either applied inline, always, or by a
    /// [`Runner`](super::Runner): not both. What was appended before is applied by hand once, with
    /// [`iter_log`](crate::EventStore::iter_log).
    ///
    /// # Errors
    ///
    /// The handler's error. Pass it on, so that the transaction is rolled back: the policies are for events
    /// that are already recorded.
    ///
    /// ```
    /// use diesel::prelude::*;
    /// use diesel_event_store::projection::Projection;
    /// use diesel_event_store::{Error, EventStore, ExpectedVersion, NewEvent, StreamId, write_transaction};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let mut conn = SqliteConnection::establish(":memory:")?;
    /// # diesel_event_store::run_pending_migrations(&mut conn)?;
    /// let printed = Projection::new("printed", 1, |_conn: &mut SqliteConnection, event| {
    ///     println!("{}", event.event_type());
    ///     Ok(())
    /// });
    /// let events = [NewEvent::new("UserCreated", &())?];
    /// write_transaction(&mut conn, |conn| -> Result<(), Error> {
    ///     let alice = StreamId::new("User", "alice")?;
    ///     let appended = EventStore::new().append(conn, &alice, ExpectedVersion::Any, &events)?;
    ///     Ok(printed.apply_inline(conn, appended.events())?)
    /// })?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn apply_inline(&self, conn: &mut C, events: &[RecordedEvent]) -> Result<(), HandlerError> {
        let events = self.matching(events);
        if events.is_empty() { Ok(()) } else { self.handler.handle(conn, &events) }
    }
}

impl<C, K: Kind> Projection<C, K> {
    /// Those that the filter lets through.
    pub(super) fn matching<'e>(&self, events: &'e [RecordedEvent]) -> Cow<'e, [RecordedEvent]> {
        if events.iter().all(|event| self.filter.matches(event)) {
            return Cow::Borrowed(events);
        }
        events.iter().filter(|event| self.filter.matches(event)).cloned().collect()
    }
}
